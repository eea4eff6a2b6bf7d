"""The words for states in MLflow's JSON."""

from __future__ import annotations

import pytest

from dovetail.values import LoggedModelStatus, ModelVersionStatus, RunStatus, ViewType
from dovetail.wire.states import (
    dump_model_status,
    dump_status,
    dump_view_type,
    load_model_status,
    load_status,
    load_version_status,
    load_view_type,
)

UNKNOWN: list[object] = ["BAD", "", None, 99, True, 1.0, [], {}]


class TestTheStateOfARun:
    @pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"])
    def test_is_its_word(self, status: str) -> None:
        assert load_status(dump_status(status)) == status

    @pytest.mark.parametrize(
        ("number", "status"), [(1, "RUNNING"), (2, "SCHEDULED"), (3, "FINISHED"), (4, "FAILED"), (5, "KILLED")]
    )
    def test_may_be_sent_as_its_number(self, number: int, status: str) -> None:
        assert load_status(number) == status

    def test_crashed_leaves_as_failed(self) -> None:
        assert dump_status(RunStatus.CRASHED) == "FAILED"

    @pytest.mark.parametrize("sent", [*UNKNOWN, "CRASHED", "finished", 0], ids=repr)
    def test_that_mlflow_does_not_know_counts_as_not_said(self, sent: object) -> None:
        assert load_status(sent) is None


class TestTheStateOfALoggedModel:
    @pytest.mark.parametrize(
        ("status", "word", "number"),
        [
            (LoggedModelStatus.UNSPECIFIED, "LOGGED_MODEL_STATUS_UNSPECIFIED", 0),
            (LoggedModelStatus.PENDING, "LOGGED_MODEL_PENDING", 1),
            (LoggedModelStatus.READY, "LOGGED_MODEL_READY", 2),
            (LoggedModelStatus.FAILED, "LOGGED_MODEL_UPLOAD_FAILED", 3),
        ],
    )
    def test_has_a_word_of_mlflows(self, status: LoggedModelStatus, word: str, number: int) -> None:
        assert dump_model_status(status) == word
        assert load_model_status(word) is status
        assert load_model_status(number) is status

    @pytest.mark.parametrize("sent", [*UNKNOWN, "READY"], ids=repr)
    def test_that_mlflow_does_not_know_is_unspecified(self, sent: object) -> None:
        assert load_model_status(sent) is LoggedModelStatus.UNSPECIFIED


class TestTheStateOfAVersion:
    @pytest.mark.parametrize("status", list(ModelVersionStatus))
    def test_is_its_word(self, status: ModelVersionStatus) -> None:
        assert load_version_status(status.value) is status

    @pytest.mark.parametrize("sent", UNKNOWN, ids=repr)
    def test_that_is_not_said_is_the_first_there_is(self, sent: object) -> None:
        assert load_version_status(sent) is ModelVersionStatus.PENDING_REGISTRATION


class TestAView:
    @pytest.mark.parametrize("view", list(ViewType))
    def test_is_sent_by_name_or_number(self, view: ViewType) -> None:
        assert load_view_type(dump_view_type(view)) is view
        assert load_view_type(int(view)) is view

    @pytest.mark.parametrize("sent", UNKNOWN, ids=repr)
    def test_that_is_not_said_is_of_what_is_active(self, sent: object) -> None:
        assert load_view_type(sent) is ViewType.ACTIVE_ONLY
