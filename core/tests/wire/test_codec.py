"""Values as data and back, by declared types alone."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail import errors
from dovetail.errors import DovetailError, InvalidInput, InvalidName, NotFound, ParamConflict, StoreError
from dovetail.registry.store import ANYWHERE, Anywhere
from dovetail.tracking.bin import Discarded
from dovetail.tracking.series import Series
from dovetail.values import (
    Batch,
    Dataset,
    DatasetInput,
    Ending,
    Experiment,
    InputTag,
    JournalMark,
    Lease,
    LogEntry,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    MetricColumns,
    ModelVersion,
    ModelVersionStatus,
    NewLoggedModel,
    NewModelVersion,
    NewRun,
    Page,
    Param,
    RegisteredModel,
    RegistryMove,
    RegistryTag,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    Tag,
    ViewType,
)
from dovetail.wire.codec import codec_of, decode, encode, read

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
KEY = st.text("abc-_. é", min_size=1, max_size=8).map(str.strip).filter(lambda key: key.strip(". ") and key[:2] != "..")
NUMBER = st.floats(width=64)
WHOLE = st.integers(-(2**63), 2**63 - 1)
MOMENT = st.integers(0, 2**63 - 1)
RUN_ID = st.text("abcdef0123456789", min_size=1, max_size=32)
MODEL_ID = RUN_ID.map("m-{}".format)
LABELS = st.dictionaries(KEY, TEXT, max_size=3)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=3).map(tuple)


PARAMS, TAGS = st.builds(Param, KEY, TEXT), st.builds(Tag, KEY, TEXT, maybe(MOMENT))
REGISTRY_TAGS = st.builds(RegistryTag, KEY, TEXT)
PLAIN_POINTS = st.builds(Metric, KEY, NUMBER, MOMENT, WHOLE)
POINTS = PLAIN_POINTS | st.builds(
    lambda point, model, data: Metric(point.key, point.value, point.timestamp, point.step, model, *(data or ())),
    PLAIN_POINTS,
    maybe(MODEL_ID),
    maybe(st.tuples(TEXT, TEXT)),
)
COLUMNS = st.builds(
    lambda key, rows: MetricColumns(
        key, *(array(code, [*each]) for code, each in zip("qqd", _turned(rows), strict=True))
    ),
    KEY,
    st.lists(st.tuples(MOMENT, WHOLE, NUMBER), max_size=4),
)
ENDS = st.builds(Ending, st.sampled_from(["FINISHED", "CRASHED"]), MOMENT, maybe(TEXT), st.booleans())
BATCHES = st.builds(
    Batch,
    several(POINTS),
    st.lists(PARAMS, max_size=3, unique_by=lambda param: param.key).map(tuple),
    several(TAGS),
    several(COLUMNS),
    maybe(ENDS),
)
MARKS = st.builds(JournalMark, TEXT.filter(bool), st.integers(1, 2**63 - 1))
LEASES = st.builds(Lease, TEXT.filter(bool), st.floats(0.1, 1e9))
NAME = st.text("ab é", min_size=1, max_size=9).filter(str.strip)
DATASETS = st.builds(Dataset, NAME, NAME, NAME, TEXT, maybe(TEXT), maybe(TEXT))
INPUT_TAGS = st.lists(st.builds(InputTag, NAME, TEXT), max_size=3, unique_by=lambda tag: tag.key)
MODELS_USED, MODELS_MADE = st.builds(LoggedModelInput, MODEL_ID), st.builds(LoggedModelOutput, MODEL_ID, WHOLE)
STATUS = st.sampled_from(LoggedModelStatus)
DATASET_INPUTS = st.builds(DatasetInput, DATASETS, INPUT_TAGS)

SENT: dict[Any, st.SearchStrategy[Any]] = {
    Batch: BATCHES,
    JournalMark: MARKS,
    Lease: LEASES,
    LogEntry: st.builds(LogEntry, RUN_ID, BATCHES, maybe(MARKS), st.booleans()),
    NewRun: st.builds(
        NewRun, st.just("1"), RUN_ID, TEXT, TEXT, MOMENT, st.just("RUNNING"), several(TAGS), maybe(LEASES)
    ),
    NewLoggedModel: st.builds(
        NewLoggedModel,
        st.just("1"), NAME, MODEL_ID, maybe(RUN_ID), maybe(TEXT), STATUS, MOMENT, several(PARAMS), several(TAGS),
    ),
    NewModelVersion: st.builds(
        NewModelVersion,
        NAME, NAME, maybe(RUN_ID), maybe(MODEL_ID), maybe(TEXT), maybe(TEXT), maybe(TEXT), MOMENT,
        several(REGISTRY_TAGS),
    ),
    Sequence[DatasetInput]: st.lists(DATASET_INPUTS, max_size=3),
    Sequence[LoggedModelInput]: st.lists(MODELS_USED, max_size=3),
    Sequence[LoggedModelOutput]: st.lists(MODELS_MADE, max_size=3),
    Discarded: st.builds(Discarded, TEXT, TEXT, TEXT, TEXT, TEXT, MOMENT, st.booleans()),
    Sequence[Mapping[str, Any] | str]: st.lists(TEXT | st.dictionaries(TEXT, TEXT | st.booleans(), max_size=2)),
    ViewType: st.sampled_from(ViewType),
    int | Anywhere | None: st.none() | WHOLE | st.just(ANYWHERE),
    str | Anywhere: TEXT | st.just(ANYWHERE),
    float: NUMBER,
}  # fmt: skip
INFOS = st.builds(
    RunInfo, RUN_ID, TEXT, TEXT, TEXT, TEXT, MOMENT, maybe(MOMENT), TEXT, st.sampled_from(["active", "deleted"])
)
LOGGED = st.builds(
    lambda points, params, tags: RunData.read([(key, *rest) for key, rest in points.items()], params, tags),
    st.dictionaries(KEY, st.tuples(NUMBER, MOMENT, WHOLE), max_size=3), LABELS, LABELS,
)  # fmt: skip
VERSIONS = st.builds(
    ModelVersion,
    NAME, WHOLE, MOMENT, MOMENT, maybe(TEXT), maybe(TEXT), TEXT, TEXT, maybe(TEXT), st.sampled_from(ModelVersionStatus),
    maybe(TEXT), LABELS, maybe(TEXT), st.lists(TEXT, max_size=2), maybe(MODEL_ID),
)  # fmt: skip
ANSWERED: dict[Any, st.SearchStrategy[Any]] = {
    Experiment: st.builds(Experiment, st.just("7"), NAME, TEXT, TEXT, LABELS, maybe(MOMENT), maybe(MOMENT)),
    RunInfo: INFOS,
    Page[Run]: st.builds(
        Page,
        st.lists(
            st.builds(
                Run,
                INFOS,
                LOGGED,
                st.builds(RunInputs, several(DATASET_INPUTS), several(MODELS_USED)),
                st.builds(RunOutputs, several(MODELS_MADE)),
            ),
            max_size=2,
        ),
        maybe(TEXT),
    ),
    Page[tuple[Any, ...]]: st.builds(
        Page, st.lists(st.lists(st.none() | TEXT | NUMBER | WHOLE, max_size=3).map(tuple), max_size=3), maybe(TEXT)
    ),
    Page[Metric]: st.builds(Page, st.lists(POINTS, max_size=4), maybe(TEXT)),
    dict[str, Series]: st.dictionaries(
        RUN_ID, COLUMNS.map(lambda each: Series(each.key, each.steps, each.timestamps, each.values)), max_size=2
    ),
    LoggedModel: st.builds(
        LoggedModel,
        st.just("1"), MODEL_ID, NAME, TEXT, MOMENT, MOMENT, maybe(TEXT), maybe(RUN_ID), STATUS, maybe(TEXT), LABELS,
        LABELS, several(POINTS),
    ),
    ModelVersion: VERSIONS,
    RegisteredModel: st.builds(
        RegisteredModel,
        NAME, MOMENT, MOMENT, maybe(TEXT), st.lists(VERSIONS, max_size=2), LABELS,
        st.dictionaries(KEY, WHOLE, max_size=2),
    ),
    RegistryMove | None: st.none()
    | st.builds(RegistryMove, NAME, TEXT, TEXT, maybe(TEXT), maybe(TEXT), MOMENT, TEXT, TEXT, WHOLE),
    Sequence[str]: st.lists(TEXT),
    int | None: maybe(WHOLE),
    bool: st.booleans(),
}  # fmt: skip


def _turned(rows: list[tuple[int, int, float]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(zip(*rows, strict=True)) or ((), (), ())


def laid_open(value: Any) -> Any:
    """Something that compares, with all there is to see of a value."""
    if isinstance(value, (Series, MetricColumns)):
        columns = value.steps, value.timestamps, value.values
        return type(value), value.key, [laid_open(each) for each in columns]
    if is_dataclass(value):
        return type(value), {name: laid_open(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {key: laid_open(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, array)):
        return getattr(value, "token", None), [laid_open(each) for each in value]
    return type(value), repr(value)


def sent(value: Any, hint: Any) -> Any:
    """The data as the other side gets it."""
    return json.loads(json.dumps(encode(value, hint), allow_nan=False))


class TestAValueThatIsSent:
    @pytest.mark.parametrize("hint", SENT, ids=str)
    def test_arrives_as_it_was_and_checked(self, hint: Any) -> None:
        @given(SENT[hint])
        def arrives(value: Any) -> None:
            assert laid_open(decode(sent(value, hint), hint)) == laid_open(value)

        arrives()

    @pytest.mark.parametrize("hint", ANSWERED, ids=str)
    def test_or_answered_arrives_as_it_was(self, hint: Any) -> None:
        @given(ANSWERED[hint])
        def arrives(value: Any) -> None:
            assert laid_open(read(sent(value, hint), hint)) == laid_open(value)

        arrives()

    def test_that_a_store_made_of_parts_arrives_whole(self) -> None:
        made = Tag.stored(key="a", value="b")
        assert encode(made, Tag) == {"key": "a", "value": "b"}
        assert laid_open(decode(encode(made, Tag), Tag)) == laid_open(Tag("a", "b"))

    def test_has_its_zeros_and_empty_texts(self) -> None:
        run = NewRun("0", run_id="a", start_time=0)
        assert decode(sent(run, NewRun), NewRun).start_time == 0
        assert decode(sent(Param("a", ""), Param), Param).value == ""

    def test_leaves_out_what_is_at_its_default(self) -> None:
        assert encode(Batch(), Batch) == {}
        assert encode(Experiment("1", "a"), Experiment) == {"experiment_id": "1", "name": "a"}
        assert encode(Metric("a", 1.0, 2, 3), Metric) == ["a", 1.0, 2, 3]
        assert encode(Metric("a", 1.0, 2, 3, "m-1"), Metric) == ["a", 1.0, 2, 3, "m-1"]

    def test_of_another_type_than_declared_is_refused_before_it_leaves(self) -> None:
        with pytest.raises(InvalidInput, match="A Batch is wanted, not 'no batch'"):
            encode("no batch", Batch)

    def test_may_be_of_numbers_that_json_has_none_for(self) -> None:
        assert [encode(each, float) for each in (nan, inf, -inf, 0.5)] == ["NaN", "Infinity", "-Infinity", 0.5]
        assert encode([nan, 1.5, "NaN"], tuple[Any, ...]) == [{"number": "NaN"}, 1.5, "NaN"]
        columns = MetricColumns("a", [1, 2], [0, 1], [inf, 1e308])
        assert encode(columns, MetricColumns) == ["a", [1, 2], [0, 1], ["Infinity", 1e308]]
        huge = MetricColumns("a", [1, 2], [0, 1], [1e308, 1e308])  # their sum is infinite, they are not
        assert encode(huge, MetricColumns)[3] == [1e308, 1e308]

    def test_made_apart_arrives_so(self) -> None:
        apart = RunData(metrics={"a": nan, "b": 1.0}, latest=(Metric("a", nan, 1, 2),))
        assert laid_open(read(sent(apart, RunData), RunData)) == laid_open(apart)


class TestDataThatAnybodyMaySend:
    @pytest.mark.parametrize(
        ("hint", "data", "said"),
        [
            (str, 1, "must be text, not a number"),
            (str, None, "must be text, not null"),
            (int, True, "must be a whole number, not true or false"),
            (int, 1.0, "must be a whole number"),
            (int, 2**63, "64 bits"),
            (int, "1", "must be a whole number, not text"),
            (float, "nan", "must be a number"),
            (float, True, "must be a number"),
            (float, 10**400, "must be a number"),
            (bool, 1, "must be true or false, not a number"),
            (str | None, [], "must be text or null, not a list"),
            (Sequence[str], "abc", "must be a list, not text"),
            (Sequence[str], ["a", 1], r"\[1\] must be text"),
            (Mapping[str, Any], [], "must be an object"),
            (Sequence[Mapping[str, Any] | str], [{}, 3], r"\[1\] must be an object or text"),
            (ViewType, 4, "must be one of 1, 2, 3, not 4"),
            (ViewType, True, "must be a whole number"),
            (ViewType, "ALL", "must be a whole number"),
            (int | Anywhere | None, {"anywhere": 2}, "where it is an object"),
            (Param, [], "must be an object, not a list"),
            (Param, {"key": "a"}, "lacks the field 'value'"),
            (Param, {"key": "a", "value": "b", "values": 1}, "has no field 'values'"),
            (Param, {"key": "a", "value": 1}, r"\.value must be text"),
            (Tag, {"key": "a", "value": "b", "set_at": 0.5}, r"\.set_at must be a whole number or null"),
            (Batch, {"params": [{"key": "a", "value": "b"}, {"key": "b"}]}, r"\.params\[1\] lacks the field 'value'"),
            (Batch, {"metrics": [["a", 1.0, 2, 3], ["a", 1.0, 2]]}, r"\.metrics\[1\] must be a list of key, value"),
            (Batch, {"metrics": [["a", "1", 2, 3]]}, r"\.metrics\[0\] must be a number"),
            (Batch, {"metrics": [["a", 1, 2, True]]}, r"\.metrics\[0\] must be a whole number"),
            (Batch, {"metrics": [["a", 1, 2, 3, 4]]}, r"\.metrics\[0\] must be text"),
            (Batch, {"columns": [["a", [1], [1]]]}, r"\.columns\[0\] must be a list of key, timestamps"),
            (Batch, {"columns": [["a", [1], [1], "1"]]}, "as lists"),
            (Batch, {"columns": [["a", [1], [1, 2], [1.0]]]}, "columns of equal length"),
            (Batch, {"columns": [["a", [-1], [1], [1.0]]]}, "no timestamps below 0"),
            (Batch, {"columns": [["a", [1.0], [1], [1.0]]]}, "whole numbers of at most 64 bits"),
            (Batch, {"columns": [["a", [2**63], [1], [1.0]]]}, "whole numbers of at most 64 bits"),
            (Batch, {"columns": [["a", [1], [1], ["one"]]]}, "must be a number"),
            (Batch, {"end": {"status": "FINISHED"}}, r"\.end lacks the field 'end_time'"),
            (LogEntry, {"run_id": "a", "batch": {"tags": [0]}}, r"\.batch\.tags\[0\] must be an object"),
        ],
    )
    def test_is_refused_with_the_place_where_it_does_not_fit(self, hint: Any, data: Any, said: str) -> None:
        with pytest.raises(InvalidInput, match=f"^The argument x.*{said}") as raised:
            decode(data, hint, "The argument x")
        assert type(raised.value) is InvalidInput

    @pytest.mark.parametrize(
        ("hint", "data", "kind"),
        [
            (Param, {"key": "../a", "value": "b"}, InvalidName),
            (Param, {"key": "a", "value": "x" * 6001}, InvalidInput),
            (Batch, {"columns": [["../a", [], [], []]]}, InvalidName),
            (Batch, {"metrics": [["a", 1.0, -1, 3]]}, InvalidInput),
            (Batch, {"params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, InvalidInput),
            (NewRun, {"experiment_id": "one"}, InvalidName),
            (JournalMark, {"writer": "", "sequence": 1}, InvalidInput),
            (Lease, {"holder": "a", "seconds": "NaN"}, InvalidInput),
            (LoggedModelOutput, {"model_id": "x"}, InvalidName),
            (NewLoggedModel, {"experiment_id": "1", "status": "DONE"}, InvalidInput),
            (Batch, {"end": {"status": "RUNNING", "end_time": 1}}, InvalidInput),
        ],
    )
    def test_makes_values_that_check_themselves(self, hint: Any, data: Any, kind: type[InvalidInput]) -> None:
        with pytest.raises(kind):
            decode(data, hint)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
            max_leaves=12,
        )
    )
    def test_is_a_value_or_refused_whatever_it_is(self, data: Any) -> None:
        for hint in SENT:
            with suppress(InvalidInput):
                decode(data, hint)

    @given(BATCHES, st.data())
    def test_that_nearly_fits_is_a_value_or_refused(self, batch: Batch, data: st.DataObject) -> None:
        held = sent(batch, Batch)
        with suppress(InvalidInput):
            assert isinstance(decode(spoil(held, data), Batch), Batch)

    def test_names_no_types(self) -> None:
        for name in ("__class__", "type", "Param", "dovetail.values.Param"):
            with pytest.raises(InvalidInput, match="has no field"):
                decode({"key": "a", "value": "b", name: "Tag"}, Param)


def spoil(held: Any, data: st.DataObject) -> Any:
    """The data with something else at one place."""
    if isinstance(held, dict) and held and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(held)))
        return {**held, name: spoil(held[name], data)}
    if isinstance(held, list) and held and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(held) - 1))
        return [*held[:place], spoil(held[place], data), *held[place + 1 :]]
    return data.draw(st.sampled_from([None, 0, -1, 2**70, 0.5, "", "NaN", "\ud800", [], {}, True]))


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("hint", "data", "said"),
        [
            (Page[Run], [], "must be an object with items"),
            (
                Page[Run],
                {"items": [{"info": {"run_id": 1, "experiment_id": "0"}}]},
                r"items\[0\]\.info\.run_id must be",
            ),
            (Page[Metric], {"items": [["a", 1.0, 2]]}, r"items\[0\] must be a list of key"),
            (RunData, {"points": [["a", 1.0, 2]], "params": {}, "tags": {}}, "cannot be read"),
            (RunData, {"points": [], "params": []}, "must be an object of points, params and tags"),
            (int, "1", "must be a whole number"),
            (ModelVersion, {"name": "a"}, "lacks the field"),
            (list[DovetailError | None], [None, 1], r"\[1\] must be an object or null"),
        ],
    )
    def test_that_is_none_is_trouble_with_the_server(self, hint: Any, data: Any, said: str) -> None:
        with pytest.raises(StoreError, match=f"^The answer.*{said}"):
            read(data, hint)

    def test_of_a_newer_server_may_say_more(self) -> None:
        answer = {"experiment_id": "1", "name": "a", "colour": "red"}
        assert read(answer, Experiment) == Experiment("1", "a")

    def test_is_taken_as_it_is(self) -> None:
        assert read({"key": "../a", "value": ""}, Param).key == "../a"

    def test_makes_points_of_what_a_run_logged_when_somebody_asks(self) -> None:
        data = read(sent(RunData.read([("a", nan, 1, 2)], {}, {}), RunData), RunData)
        assert "latest" not in data.__dict__
        assert laid_open(data.latest) == laid_open((Metric("a", nan, 1, 2),))

    @pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "MlflowException"])
    def test_tells_of_failures_by_their_class(self, name: str) -> None:
        failure = getattr(errors, name)("It is so.", hint="Do that.")
        (found, nothing) = read(sent([failure, None], list[DovetailError | None]), list[DovetailError | None])
        assert (type(found), str(found), found.hint, nothing) == (type(failure), str(failure), "Do that.", None)

    def test_keeps_the_order_of_failures(self) -> None:
        failures = [None, NotFound("a"), None, ParamConflict("b")]
        found = read(sent(failures, list[DovetailError | None]), list[DovetailError | None])
        assert [type(each) for each in found] == [type(each) for each in failures]


class TestAType:
    def test_that_nothing_is_known_of_is_found_when_it_is_declared(self) -> None:
        for hint in (object, set[str], complex, list[bytes]):
            with pytest.raises(TypeError, match="no codec"):
                codec_of(hint)

    def test_that_looks_like_another_cannot_stand_beside_it(self) -> None:
        with pytest.raises(TypeError, match="look alike"):
            codec_of(Param | Tag)
