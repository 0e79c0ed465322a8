"""What the healthcare example's wards send of public patients is, message by message, what stands in the table."""

from pilotbase.data.batches import feature_columns
from pilotbase.data.column_types import classes_of
from pilotbase.protocols.contract_cases import CaseReader
from pilotbase.protocols.exchanges.reading import read_message, split_messages
from pilotbase.trial.recorded_exchanges.recorded import as_batch, check_records, missing_somewhere, refuse_hidden
from tests.examples.examples_for_tests import EXAMPLES, load_module, split_of
from tests.examples.test_documents import scenario_of

SECTOR = "healthcare"


def test_a_message_of_a_ward_is_a_row_of_the_table():
    scenario, split = scenario_of(SECTOR), split_of(SECTOR)
    (exchange,) = scenario.trial.exchanges
    content = load_module(EXAMPLES / SECTOR / "prepare.py").record(split.public).encode()
    lacking = frozenset(missing_somewhere(scenario, split.public) + missing_somewhere(scenario, split.hidden))
    reader = CaseReader(scenario.contract(classes_of(split.public, scenario)), lacking)
    check_records(scenario, {exchange.name: content}, reader)
    refuse_hidden(scenario, {exchange.name: content}, reader, split)
    bodies = split_messages(exchange, content)
    table = feature_columns(split.public.head(len(bodies)), reader.contract, lacking)
    for number, body in enumerate(bodies):
        columns = as_batch(reader, read_message(exchange, reader.contract, body).cells).columns
        assert {name: repr(column[0]) for name, column in columns.items()} == {
            name: repr(column[number]) for name, column in table.items()
        }
    assert len(bodies) == 24
