"""How the Monitor shows an experiment: what its operator chose under *View options*."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum


class XAxis(StrEnum):
    """What goes along the horizontal axis of the convergence."""

    TRIAL = "trial"
    FINISH = "finish"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class MonitorOptions:
    """The choices for one experiment; the defaults are what is shown at first.

    Attributes:
        quantity: Key of what the convergence shows; empty for the objective, or the hypervolume of
            several.
        x: Along its horizontal axis.
        is_log: Whether its values are spread by powers of ten.
        has_band: Whether what the model expects is shown.
        has_failed: Whether trials without a result are shown.
        window: Seconds that the slots show; 0 for the whole run, -1 for some trials' worth.
        upright: Key of the objective upright in the trade-offs; empty for the first.
        across: The one across; empty for the second.
    """

    quantity: str = ""
    x: XAxis = XAxis.TRIAL
    is_log: bool = False
    has_band: bool = True
    has_failed: bool = True
    window: int = -1
    upright: str = ""
    across: str = ""

    def kept(self) -> dict[str, object]:
        """What differs from the defaults, as plain values."""
        plain = asdict(MonitorOptions())
        return {k: str(v) if isinstance(v, XAxis) else v
                for k, v in asdict(self).items() if v != plain[k]}  # fmt: skip


def options_from(kept: object) -> MonitorOptions:
    """Read what `kept` wrote; what is no such value is as at first."""
    if not isinstance(kept, Mapping):
        return MonitorOptions()
    found: dict[str, object] = {}
    for field in fields(MonitorOptions):
        value = kept.get(field.name)
        if field.name == "x":
            if value in list(XAxis):
                found["x"] = XAxis(value)
        elif type(value) is type(field.default):
            found[field.name] = value
    return MonitorOptions(**found)  # type: ignore[arg-type]  # each has its default's type
