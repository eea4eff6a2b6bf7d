from __future__ import annotations

import contextlib
import pickle
import time

import pytest

from dovetail.errors import InvalidFilter
from dovetail.tracking.filters import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_ORDER_KEYS,
    MAX_PATTERNS,
    MAX_TERMS,
    And,
    Comparison,
    Not,
    Or,
    OrderKey,
    parse_filter,
    parse_order,
)


def one(text: str, entity: str = "runs") -> Comparison:
    tree = parse_filter(text, entity)
    assert isinstance(tree, Comparison)
    return tree


def refused(text: str, entity: str = "runs") -> str:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, entity)
    return str(caught.value)


class TestReading:
    @pytest.mark.parametrize("text", [None, "", "   ", "\n\t"])
    def test_nothing_asks_for_everything(self, text: str | None) -> None:
        assert parse_filter(text) is None

    def test_and_or_not_bind_as_in_sql(self) -> None:
        a, b, c = (Comparison("metric", key, ">", 1.0) for key in "abc")
        text = "metrics.a > 1 {} metrics.b > 1 {} metrics.c > 1"
        assert parse_filter(text.format("and", "And")) == And((a, b, c))
        assert parse_filter(text.format("OR", "AND")) == Or((a, And((b, c))))
        assert parse_filter("NOT metrics.a > 1 AND (metrics.b > 1 OR metrics.c > 1)") == And((Not(a), Or((b, c))))

    @pytest.mark.parametrize("prefix", ["params", "param", "parameters", "parameter", "`params`"])
    def test_prefixes_have_several_spellings(self, prefix: str) -> None:
        assert one(f"{prefix}.lr = '1'") == Comparison("param", "lr", "=", "1")

    @pytest.mark.parametrize("name", ["`run name`", '"Run name"', "`Run Name`", "attr.`run name`", "run.run_name"])
    def test_attributes_come_out_by_one_name(self, name: str) -> None:
        assert one(f"{name} = 'x'").key == "run_name"

    @pytest.mark.parametrize(
        ("written", "key"),
        [
            ("a.b.c", "a.b.c"),
            ("1a", "1a"),
            ("and", "and"),
            ("is", "is"),
            ("`a b`", "a b"),
            ('"a-b"', "a-b"),
            ("'a/b'", "a/b"),
            ("`a``b`", "a`b"),
            ('`it\'s "x"`', 'it\'s "x"'),
            ("größe", "größe"),
        ],
    )
    def test_keys_stand_bare_or_in_any_quotes(self, written: str, key: str) -> None:
        assert one(f"tags.{written} = 'v'").key == key

    def test_operators_come_out_in_capitals(self) -> None:
        assert one("run_id not\n in ('a', 'b',)") == Comparison("attribute", "run_id", "NOT IN", ("a", "b"))
        assert one("tags.a iLike 'x'").operator == "ILIKE"
        assert one("tags.a is Not null") == Comparison("tag", "a", "IS NOT NULL", None)

    def test_times_are_integers_and_metrics_are_floats(self) -> None:
        assert (type(one("start_time > 5").value), type(one("metrics.a > 5").value)) == (int, float)
        assert one("start_time > 5.5").value == 5.5

    @pytest.mark.parametrize("digits", ["9" * 19, "9" * 100, "0" * 5000 + "1", "9" * 5000])
    def test_an_integer_that_no_database_holds_becomes_a_float(self, digits: str) -> None:
        assert type(one(f"start_time > {digits}").value) is float

    def test_lists_and_ranges_keep_what_they_hold(self) -> None:
        assert one("params.a IN (1, 2.5,)") == Comparison("param", "a", "IN", (1.0, 2.5))
        assert one("params.a NOT IN ('1')") == Comparison("param", "a", "NOT IN", ("1",))
        assert one("metrics.a between -1 and 1e3").value == (-1.0, 1000.0)
        values = one("start_time NOT BETWEEN 1 AND 2.5").value
        assert isinstance(values, tuple)
        assert list(map(type, values)) == [int, float]

    def test_numbers_of_versions_may_stand_in_quotes(self) -> None:
        assert one("version_number = '3'", "model_versions") == one("version = 3", "model_versions")
        assert one("experiment_id = 3", "logged_models").value == "3"

    def test_prompts_are_told_from_models_by_a_tag_that_models_need_not_have(self) -> None:
        key = "mlflow.prompt.is_prompt"
        for entity in ("registered_models", "model_versions"):
            tree = parse_filter(f"tags.{key} != 'true'", entity)
            assert tree == Not(Comparison("tag", key, "=", "true"))
            assert one(f"tags.{key} = 'true'", entity).operator == "="
        assert one(f"tags.{key} != 'true'").operator == "!="

    def test_a_backslash_is_an_ordinary_character(self) -> None:
        assert one(r"tags.dir = 'C:\'").value == "C:\\"

    def test_experiments_have_names_of_their_own(self) -> None:
        assert one("attributes.name LIKE 'a%'", "experiments") == Comparison("attribute", "name", "LIKE", "a%")
        assert one("creation_time > 5", "experiments").value == 5
        assert one("experiment_id NOT IN ('0')", "experiments").value == ("0",)
        assert parse_order(["name DESC"], "experiments") == (OrderKey("attribute", "name", ascending=False),)

    @pytest.mark.parametrize(
        "text",
        ["metrics.a > 1", "params.a = '1'", "status = 'x'", "name > 'a'", "name IS NULL", "lifecycle_stage = 'x'"],
    )
    def test_experiments_have_not_what_runs_have(self, text: str) -> None:
        refused(text, "experiments")

    def test_experiments_are_not_ordered_by_tags(self) -> None:
        with pytest.raises(InvalidFilter, match=r"cannot be ordered by tags\.a"):
            parse_order(["tags.a"], "experiments")

    def test_an_unknown_entity_is_refused_with_those_there_are(self) -> None:
        assert "runs, experiments, registered_models" in refused("name = 'x'", "elephants")
        assert "registered models have no attribute" in refused("nome = 'x'", "registered_models")

    def test_trees_can_be_kept_and_sent(self) -> None:
        tree = parse_filter("NOT (metrics.a > 1 OR run_id IN ('a'))")
        assert pickle.loads(pickle.dumps(tree)) == tree
        assert hash(tree) == hash(parse_filter(str(tree)))


class TestHelpfulRefusals:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("metrics.acc = ", "expected a number after =, found the end, at character 15 of"),
            ("METRICS.acc > 1", "did you mean metrics?"),
            ("param.lr > 1 and metic.acc > 1", "did you mean metric?"),
            ("statsu = 'x'", "did you mean status?"),
            ("acc > 1", "metrics.acc or params.acc or tags.acc"),
            ("params.learning-rate = '1'", "put it in back-ticks: params.`learning-rate`"),
            ("start-time > 1", "`start-time`"),
            ("run name = 'x'", "put it in back-ticks: `run name`"),
            ("metrics. acc > 1", "expected a key after 'metrics.'"),
            ("tags.`` = 'x'", "is empty"),
            ("metrics.acc == 1", "write ="),
            ("tags.a <> 'x'", "write !="),
            ("tags.a NOT LIKE 'x'", "write NOT tags.a LIKE"),
            ("metrics.a BETWEEN 1, 2", "expected AND and the upper end, found ',', at character 20"),
            ("metrics.a BETWEEN 'x' AND 2", "write it as BETWEEN 1 AND 2"),
            ("metrics.a NOT BETWEEN 1 AND", "expected a number after AND, found the end"),
            ("metrics.a IN 5", "write it as (1, 2)"),
            ("metrics.a IN (1, 'x')", "expected a number, found \"'x'\", at character 18"),
            ("params.a IN (1, 'x')", "expected a number, found"),
            ("params.a IN ('x', 1)", "expected a text in quotes or a number, found '1'"),
            ("metrics.a IN (1 2)", "expected ',' or ')'"),
            ("`metrics.acc` > 1", "quote only the key: metrics.`acc`"),
            ("status = FINISHED", "put it in quotes: 'FINISHED'"),
            ("tags.a = 5", "put it in quotes: '5'"),
            ("params.a > '5'", "write the number without quotes"),
            ("tags.a = `x`", "back-ticks are for keys"),
            ("metrics.a = metrics.b", "cannot be compared with each other"),
            ("run_id IN 'a'", "write it as ('a', 'b')"),
            ("tags.a = 'x", "the quote ' is never closed, at character 10"),
            ("metrics.a > 1;", "give one filter"),
            ("metrics.a > 1 AND AND", "found 'AND', at character 19"),
            ("metrics.a > 1 metrics.b > 1", "expected AND, OR or the end"),
            ("tags.a = '\ud800'", "no stored text holds this character"),
        ],
    )
    def test_the_message_says_what_to_do(self, text: str, words: str) -> None:
        assert words in refused(text)

    def test_a_message_repeats_only_the_neighbourhood(self) -> None:
        assert len(refused(" AND ".join(["metrics.a > 1"] * 400) + " AND x" + "y" * 9000 + " = 1")) < 600

    def test_one_text_is_no_list_of_clauses(self) -> None:
        with pytest.raises(InvalidFilter, match="not a list of clauses"):
            parse_order("metrics.acc DESC")


class TestLimits:
    def test_length(self) -> None:
        assert parse_filter("metrics.a > 1".ljust(MAX_LENGTH))
        assert "100000" in refused("metrics.a > 1".ljust(MAX_LENGTH + 1))

    def test_number_of_comparisons(self) -> None:
        terms = ["metrics.a > 1"] * MAX_TERMS
        assert parse_filter(" OR ".join(terms))
        assert "more than 500 comparisons" in refused(" OR ".join([*terms, "metrics.a > 1"]))

    def test_numbers_in_lists_count_as_comparisons(self) -> None:
        numbers = ", ".join(map(str, range(MAX_TERMS - 1)))
        assert parse_filter(f"metrics.a IN ({numbers})")
        assert "more than 500 comparisons" in refused(f"metrics.a IN ({numbers}, 1)")
        assert "more than 500 comparisons" in refused(f"metrics.a IN ({numbers}) OR metrics.a > 1")
        texts = ", ".join(f"'{number}'" for number in range(5000))
        assert parse_filter(f"params.a IN ({texts})")

    @pytest.mark.parametrize(("before", "after"), [("(", ")"), ("NOT ", "")])
    def test_depth(self, before: str, after: str) -> None:
        assert parse_filter(before * MAX_DEPTH + "metrics.a > 1" + after * MAX_DEPTH)
        depth = MAX_DEPTH + 1
        assert "more than 50 parentheses" in refused(before * depth + "metrics.a > 1" + after * depth)
        refused(before * 20_000)

    def test_patterns(self) -> None:
        assert parse_filter(f"tags.a LIKE '{'%' * MAX_PATTERNS}' AND tags.a = '%'")
        problem = refused(f"tags.a LIKE '{'%' * MAX_PATTERNS}' OR tags.a ILIKE '%'")
        assert "more than 10000 characters of LIKE patterns" in problem

    def test_order_keys(self) -> None:
        assert len(parse_order(["metrics.a"] * MAX_ORDER_KEYS)) == MAX_ORDER_KEYS
        with pytest.raises(InvalidFilter, match="the most is 20"):
            parse_order(["metrics.a"] * (MAX_ORDER_KEYS + 1))

    @pytest.mark.parametrize(
        "text",
        [
            "metrics.a > " + "1" * 99_000 + "x",
            "tags.a = " + "'" * 99_001,
            "`" * 99_999,
            "a" * 99_999,
            "params." + "a." * 49_000,
            "tags.a = 'x" + "''" * 49_000,
            "run_id IN (" + "'a'," * 24_000 + ")",
        ],
    )
    def test_hostile_text_is_read_in_linear_time(self, text: str) -> None:
        started = time.process_time()
        with contextlib.suppress(InvalidFilter):
            parse_filter(text)
        assert time.process_time() - started < 2


@pytest.mark.parametrize("given", [5, b"x", ["a"], {"a": 1}, True])
def test_what_is_no_text_is_no_filter(given: object) -> None:
    with pytest.raises(InvalidFilter, match="not text"):
        parse_filter(given)  # type: ignore[arg-type]
