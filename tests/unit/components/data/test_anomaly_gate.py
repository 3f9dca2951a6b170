"""AnomalyGate's logic on statistics that TFDV made of a few rows."""

from collections.abc import Sequence

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.data.anomaly_gate import Anomaly, check, find_anomalies
from core.errors import InputError
from core.sections.data import AnomaliesSection

CONTRACT = text_format.Parse(
    """
    feature { name: "sex" type: BYTES domain: "sex" presence { min_fraction: 1.0 } }
    feature { name: "age" type: INT int_domain { min: 17 max: 90 } presence { min_fraction: 1.0 } }
    string_domain { name: "sex" value: "Male" value: "Female" }
    """,
    schema_pb2.Schema(),
)


def settings(severity: str = "ERROR", accept: Sequence[str] = ()) -> AnomaliesSection:
    return AnomaliesSection.model_validate({"severity": severity, "accept": tuple(accept)})


def anomalies_of(frame: pd.DataFrame, contract: schema_pb2.Schema = CONTRACT) -> list[Anomaly]:
    statistics = tfdv.generate_statistics_from_dataframe(frame)
    found = tfdv.validate_statistics(statistics, contract)
    return find_anomalies("train", found, statistics.datasets[0], contract)


def test_data_that_keeps_to_the_contract_has_no_anomaly() -> None:
    assert anomalies_of(pd.DataFrame({"sex": ["Male", "Female"], "age": [30, 40]})) == []


def test_unknown_category_names_value_rows_and_remedy() -> None:
    frame = pd.DataFrame({"sex": ["Male", "Robot", "Robot"], "age": [30, 40, 50]})
    (anomaly,) = anomalies_of(frame)
    assert (anomaly.feature, anomaly.severity) == ("sex", "ERROR")
    assert (anomaly.rows, anomaly.total) == (2, 3)
    assert "Robot" in anomaly.problem
    assert "domain" in anomaly.remedy


def test_number_out_of_range_counts_rows() -> None:
    frame = pd.DataFrame({"sex": ["Male"] * 10, "age": [30] * 8 + [500, 500]})
    (anomaly,) = anomalies_of(frame)
    assert anomaly.feature == "age"
    assert anomaly.rows == 2


def test_a_range_that_is_open_above_counts_only_what_lies_below() -> None:
    contract = schema_pb2.Schema()
    contract.CopyFrom(CONTRACT)
    contract.feature[1].int_domain.ClearField("max")
    frame = pd.DataFrame({"sex": ["Male"] * 10, "age": [30] * 7 + [5, 5, 5]})
    (anomaly,) = anomalies_of(frame, contract)
    assert (anomaly.feature, anomaly.rows) == ("age", 3)


def test_new_column_is_an_anomaly() -> None:
    frame = pd.DataFrame({"sex": ["Male"], "age": [30], "salary": [1.5]})
    (anomaly,) = anomalies_of(frame)
    assert anomaly.feature == "salary"
    assert anomaly.rows == 1


def test_blocking_anomaly_says_what_is_wrong_and_how_to_accept_it() -> None:
    anomaly = Anomaly("train", "sex", "ERROR", "Unexpected value Robot.", 2, 3, "add it")
    with pytest.raises(InputError) as error:
        check([anomaly], settings(), "schema/x.pbtxt")
    message = str(error.value)
    for part in ("split 'train'", "'sex'", "2 of 3 rows", "Robot", "schema/x.pbtxt"):
        assert part in message
    assert "--set 'anomalies.accept=[sex]'" in message


def test_what_is_accepted_already_stays_accepted() -> None:
    anomaly = Anomaly("train", "sex", "ERROR", "Unexpected value Robot.", 2, 3, "add it")
    with pytest.raises(InputError, match=r"--set 'anomalies.accept=\[age, sex\]'"):
        check([anomaly], settings(accept=["age"]), "schema/x.pbtxt")


@pytest.mark.parametrize(
    ("severity", "accept", "stops"),
    [("ERROR", [], False), ("WARNING", [], True), ("WARNING", ["sex"], False)],
)
def test_severity_and_accepted_features(severity: str, accept: list[str], stops: bool) -> None:
    anomaly = Anomaly("train", "sex", "WARNING", "Odd.", 1, 3, "look")
    if stops:
        with pytest.raises(InputError):
            check([anomaly], settings(severity, accept), "schema/x.pbtxt")
    else:
        check([anomaly], settings(severity, accept), "schema/x.pbtxt")


def test_empty_cells_below_the_presence_of_the_contract() -> None:
    (anomaly,) = anomalies_of(pd.DataFrame({"sex": ["Male", None, None], "age": [30, 40, 50]}))
    assert (anomaly.feature, anomaly.rows, anomaly.total) == ("sex", 2, 3)
    assert "min_fraction" in anomaly.remedy


def test_column_empty_in_every_row() -> None:
    (anomaly,) = anomalies_of(pd.DataFrame({"age": [30, 40, 50]}))
    assert (anomaly.feature, anomaly.rows) == ("sex", None)
    assert "bring the column back" in anomaly.remedy
