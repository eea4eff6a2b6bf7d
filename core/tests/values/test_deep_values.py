"""Values that nest deep, where a name, an id or a word belongs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from dovetail.errors import InvalidInput
from dovetail.values import (
    LoggedModelOutput,
    LoggedModelStatus,
    ModelVersionStatus,
    RunStatus,
    SourceType,
)
from dovetail.values.names import (
    check_experiment_id,
    check_experiment_name,
    check_key,
    check_model_id,
    check_model_name,
    check_moment,
    check_run_id,
)
from dovetail.values.page import check_limit
from dovetail.values.registry import check_alias, check_registered_name, check_stage, check_version

if TYPE_CHECKING:
    from collections.abc import Callable


class TestWhatNestsDeep:
    """Python cannot write such a value in a message."""

    @pytest.mark.parametrize(
        "check",
        [
            check_alias,
            check_experiment_id,
            check_experiment_name,
            check_model_id,
            check_model_name,
            check_registered_name,
            check_run_id,
            check_stage,
            check_version,
            ModelVersionStatus.from_string,
            LoggedModelStatus.check,
            RunStatus.check,
            SourceType.check,
            partial(check_key, "tag"),
            partial(check_moment, "time"),
            partial(check_limit, most=5),
            partial(LoggedModelOutput, "m-1"),
        ],
    )
    def test_is_refused_like_anything_else(self, check: Callable[[object], object]) -> None:
        deep: object = 1
        for _ in range(5000):
            deep = [deep]
        with pytest.raises(InvalidInput):
            check(deep)
