"""Errors in MLflow's JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dovetail import errors
from dovetail.errors import (
    AlreadyExists,
    DovetailError,
    InvalidInput,
    InvalidState,
    NotFound,
    ParamConflict,
    RunEnded,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
    Untrusted,
)
from dovetail.wire.failures import dump_failure, load_failure

CLASSES = [getattr(errors, name) for name in errors.__all__ if name != "MlflowException"]


class BucketGone(StoreUnavailable):
    """A plugin's own."""


NAMESAKE = type("NotFound", (StoreFull,), {})  # a plugin's own of a name that ours has, too


class TestAnErrorThatADovetailServerTellsOf:
    @pytest.mark.parametrize("kind", CLASSES)
    @pytest.mark.parametrize("hint", [None, "Try again later."])
    def test_is_raised_as_the_very_same(self, kind: type[DovetailError], hint: str | None) -> None:
        error = kind("Run 'ä' is not there.", hint=hint)
        back = load_failure(error.status, json.loads(json.dumps(dump_failure(error))))
        assert (type(back), back.message, back.hint, str(back)) == (kind, error.message, hint, str(error))

    def test_is_told_in_mlflows_words_too(self) -> None:
        assert dump_failure(RunEnded("The run is over.", hint="Start another.")) == {
            "error_code": "INVALID_PARAMETER_VALUE",
            "message": "The run is over.\nStart another.",
            "error_type": "RunEnded",
            "hint": "Start another.",
        }

    def test_without_a_hint_has_none(self) -> None:
        failure = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No run.", "error_type": "NotFound"}
        assert dump_failure(NotFound("No run.")) == failure

    @pytest.mark.parametrize(("kind", "known"), [(BucketGone, "StoreUnavailable"), (NAMESAKE, "StoreFull")])
    def test_of_a_plugins_class_goes_out_as_the_nearest_of_ours(self, kind: type[DovetailError], known: str) -> None:
        assert dump_failure(kind("x"))["error_type"] == known

    @pytest.mark.parametrize(
        ("code", "status", "known"),
        [
            ("PERMISSION_DENIED", 403, StoreReadOnly),
            ("UNAUTHENTICATED", 401, StoreError),
            ("TOO_MUCH", 413, StoreError),
        ],
    )
    def test_of_which_ours_have_only_the_root_is_known_by_its_code(
        self, code: str, status: int, known: type[DovetailError]
    ) -> None:
        kind = type("Denied", (DovetailError,), {"status": status, "error_code": code})
        assert type(load_failure(status, dump_failure(kind("x")))) is known

    def test_whose_hint_stands_within_its_message_keeps_both(self) -> None:
        error = NotFound("a\nb\na", hint="a")
        assert str(load_failure(404, dump_failure(error))) == "a\nb\na\na"


class TestAClassThatAnAnswerNames:
    @pytest.mark.parametrize(
        "named",
        ["SystemExit", "MlflowException", "os.system", "ClassVar", "_rebuild", "", 5, None, ["NotFound"], {}],
        ids=repr,
    )
    def test_is_none_but_one_of_ours(self, named: object) -> None:
        failure = {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "x", "error_type": named}
        assert type(load_failure(400, failure)) is AlreadyExists

    def test_counts_for_more_than_code_and_status(self) -> None:
        failure = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "x", "error_type": "ParamConflict"}
        assert type(load_failure(503, failure)) is ParamConflict
        assert type(load_failure(403, {"error_code": "PERMISSION_DENIED", "error_type": "Untrusted"})) is Untrusted


class TestAnErrorThatMlflowsServerTellsOf:
    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (404, "RESOURCE_DOES_NOT_EXIST", NotFound),
            (400, "RESOURCE_ALREADY_EXISTS", AlreadyExists),
            (400, "INVALID_PARAMETER_VALUE", InvalidInput),
            (400, "BAD_REQUEST", InvalidInput),
            (500, "INVALID_STATE", InvalidState),
            (500, "INTERNAL_ERROR", StoreError),
            (501, "NOT_IMPLEMENTED", StoreError),
            (503, "TEMPORARILY_UNAVAILABLE", StoreUnavailable),
            (429, "REQUEST_LIMIT_EXCEEDED", StoreUnavailable),
            (403, "PERMISSION_DENIED", StoreReadOnly),
            (401, "UNAUTHENTICATED", StoreError),
            # Codes that stand for different things, and such as are not known: then the status says it.
            (429, "RESOURCE_EXHAUSTED", StoreUnavailable),
            (507, "RESOURCE_EXHAUSTED", StoreFull),
            (400, "SOMETHING_NEW", InvalidInput),
            (418, "SOMETHING_NEW", StoreError),
        ],
    )
    def test_is_raised_as_what_its_code_stands_for(self, status: int, code: str, kind: type[DovetailError]) -> None:
        failure = {"error_code": code, "message": "Why.", "sqlstate": "KAM00", "error_class": code}
        error = load_failure(status, failure)
        assert (type(error), error.message) == (kind, "Why.")

    def test_that_wants_to_know_who_asks_says_what_to_set(self) -> None:
        error = load_failure(401, {"error_code": "UNAUTHENTICATED", "message": "You are not authenticated."})
        assert "DOVETAIL_TRACKING_USERNAME" in str(error)
        assert "DOVETAIL_TRACKING_TOKEN" in str(error)

    @pytest.mark.parametrize(
        "message", [{}, {"message": None}, {"message": ""}, {"message": 5}, {"message": ["x"]}], ids=repr
    )
    def test_without_a_message_has_at_least_the_status(self, message: dict[str, Any]) -> None:
        error = load_failure(404, message)
        assert (type(error), str(error)) == (NotFound, "The server answered 404 Not Found.")

    def test_without_a_message_keeps_the_hint(self) -> None:
        assert load_failure(401, {"hint": "Ask Ann."}).hint == "Ask Ann."

    def test_with_a_hint_that_is_no_text_is_told_without(self) -> None:
        assert load_failure(404, {"message": "x", "hint": {"a": 1}}).hint is None

    def test_of_any_length_is_told_in_few_words(self) -> None:
        assert len(str(load_failure(500, {"message": "x" * 10_000_000}))) < 1000


class TestAnAnswerThatHoldsNoJson:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, InvalidInput),
            (404, NotFound),
            (403, StoreReadOnly),
            (401, StoreError),
            (429, StoreUnavailable),
            (502, StoreUnavailable),
            (503, StoreUnavailable),
            (504, StoreUnavailable),
            (500, StoreError),
            (507, StoreFull),
            (302, StoreError),
        ],
    )
    def test_but_nothing_is_what_its_status_stands_for(self, status: int, kind: type[DovetailError]) -> None:
        error = load_failure(status, None)
        assert type(error) is kind
        assert error.message.startswith(f"The server answered {status}")

    @pytest.mark.parametrize("status", [400, 404, 500, 405])
    def test_but_a_page_is_never_about_what_was_asked_for(self, status: int) -> None:
        error = load_failure(status, "<!doctype html>\n<title>404 Not Found</title>")
        assert type(error) is StoreError
        assert "<!doctype html>" in error.message
        assert error.hint is not None
        assert "tracking URI" in error.hint

    @pytest.mark.parametrize(
        ("status", "kind"), [(503, StoreUnavailable), (502, StoreUnavailable), (403, StoreReadOnly)]
    )
    def test_of_a_proxy_still_tells_who_may_try_again(self, status: int, kind: type[DovetailError]) -> None:
        assert type(load_failure(status, "upstream connect error")) is kind

    def test_of_a_proxy_that_wants_to_know_who_asks_says_what_to_set(self) -> None:
        assert "DOVETAIL_TRACKING_TOKEN" in str(load_failure(401, "<html>401 Authorization Required</html>"))

    def test_shows_the_beginning_of_the_text_without_passwords_and_control_characters(self) -> None:
        text = "\x1b[31mno way to http://me:secret@host/ " + "x" * 100_000
        message = load_failure(500, text).message
        assert len(message) < 200
        assert "\x1b" not in message
        assert "secret" not in message

    @pytest.mark.parametrize("data", ["", "  \n", [], 5, True], ids=repr)
    def test_that_helps_is_told_by_status(self, data: object) -> None:
        assert load_failure(500, data).message == "The server answered 500 Internal Server Error."

    def test_with_a_status_nobody_knows_is_told_of_all_the_same(self) -> None:
        assert load_failure(599, None).message == "The server answered 599."
