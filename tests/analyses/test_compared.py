"""The table of compared systems: a missing ratio is a dash, a misspelt name is reported."""

import compared
import pytest

COLUMNS = (
    "snr_db,system,reference,task,metric,variant,value,reference_value,"
    "difference,difference_low,difference_high,ratio,ratio_low,ratio_high"
)


@pytest.fixture
def path(tmp_path):
    rows = [
        "all,unet,gmp,event,f1,published,0.1,0.0,0.1,0.05,0.15,,,",
        "all,unet,gmp,frame,f1,published,0.6,0.3,0.3,0.2,0.4,2.0,1.9,2.1",
        "all,gwrp,gmp,separation,si_sdr_improvement,published,3.0,1.0,2.0,1.5,2.5,3.0,2.0,4.0",
    ]
    table = tmp_path / "comparisons.csv"
    table.write_text("\n".join([COLUMNS, *rows, ""]))
    return table


def test_ratios_differences_and_what_has_none(path):
    event, frame, separation = compared.rows(path, "all")
    assert event["ratio, or difference in dB"] == event["95 % interval"] == "–"
    assert frame["ratio, or difference in dB"] == "2.00"
    assert frame["95 % interval"] == "1.90 to 2.10"
    assert separation["ratio, or difference in dB"] == "+2.00 dB"
    assert [row["system"] for row in compared.rows(path, "all", ["gwrp"])] == ["gwrp"]


@pytest.mark.parametrize(
    ("snr", "systems", "says"), [("0", None, "snr_db of all; got 0"), ("all", ["unett"], "unett")]
)
def test_what_is_not_in_the_table_is_named(path, snr, systems, says):
    with pytest.raises(SystemExit, match=says):
        list(compared.rows(path, snr, systems))
