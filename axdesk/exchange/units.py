"""Units of measurement, as far as one is converted into another without doubt."""

import unicodedata
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Conversion:
    """value · factor + offset, exactly."""

    factor: Fraction
    offset: Fraction

    def of(self, value: Fraction) -> Fraction:
        """Return a value in the other unit."""
        return value * self.factor + self.offset

    def of_difference(self, value: Fraction) -> Fraction:
        """Return a difference, such as a standard error, in the other unit."""
        return value * abs(self.factor)


_Scale = dict[str, tuple[str, str]]

_SCALES: tuple[_Scale, ...] = (
    # Unit, and its other spellings → (factor, offset) to the first unit of the quantity.
    {
        "K kelvin": ("1", "0"),
        "°C ºC degC celsius": ("1", "273.15"),
        "°F ºF degF fahrenheit": ("5/9", "229835/900"),
    },
    {"m": ("1", "0"), "nm": ("1e-9", "0"), "µm um": ("1e-6", "0"), "mm": ("1e-3", "0"),
     "cm": ("1e-2", "0"), "dm": ("0.1", "0"), "km": ("1000", "0")},
    {"s sec second seconds": ("1", "0"), "ms": ("1e-3", "0"), "min minute minutes": ("60", "0"),
     "h hr hour hours": ("3600", "0"), "d day days": ("86400", "0")},
    {"g": ("1", "0"), "ng": ("1e-9", "0"), "µg ug": ("1e-6", "0"), "mg": ("1e-3", "0"),
     "kg": ("1000", "0"), "t": ("1e6", "0")},
    {"L l": ("1", "0"), "nL nl": ("1e-9", "0"), "µL µl uL ul": ("1e-6", "0"),
     "mL ml cm³ cm3": ("1e-3", "0"), "cL cl": ("1e-2", "0"), "dL dl": ("0.1", "0"),
     "m³ m3": ("1000", "0")},
    {"mol": ("1", "0"), "nmol": ("1e-9", "0"), "µmol umol": ("1e-6", "0"), "mmol": ("1e-3", "0"),
     "kmol": ("1000", "0")},
    {"mol/L mol/l M": ("1", "0"), "mmol/L mmol/l mM": ("1e-3", "0"),
     "µmol/L µmol/l umol/L µM uM": ("1e-6", "0"), "nmol/L nmol/l nM": ("1e-9", "0")},
    {"g/L g/l mg/mL mg/ml": ("1", "0"), "mg/L mg/l µg/mL µg/ml": ("1e-3", "0"),
     "µg/L µg/l ug/L": ("1e-6", "0")},
    {"Pa": ("1", "0"), "hPa": ("100", "0"), "kPa": ("1000", "0"), "MPa": ("1e6", "0"),
     "mbar": ("100", "0"), "bar": ("1e5", "0"), "atm": ("101325", "0"),
     "Torr torr": ("101325/760", "0")},
    {"1 fraction": ("1", "0"), "% percent": ("1/100", "0"), "‰": ("1e-3", "0"),
     "ppm": ("1e-6", "0"), "ppb": ("1e-9", "0")},
    {"J": ("1", "0"), "kJ": ("1000", "0")},
    {"W": ("1", "0"), "mW": ("1e-3", "0"), "kW": ("1000", "0")},
    {"V": ("1", "0"), "mV": ("1e-3", "0"), "kV": ("1000", "0")},
    {"A": ("1", "0"), "mA": ("1e-3", "0"), "µA uA": ("1e-6", "0")},
    {"Hz 1/s": ("1", "0"), "kHz": ("1000", "0"), "MHz": ("1e6", "0"),
     "rpm 1/min min-1 min⁻¹ U/min": ("1/60", "0")},
    {"mL/min ml/min": ("1", "0"), "µL/min µl/min uL/min ul/min": ("1e-3", "0"),
     "L/min l/min": ("1000", "0"), "mL/h ml/h": ("1/60", "0"), "L/h l/h": ("1000/60", "0"),
     "mL/s ml/s": ("60", "0")},
)  # fmt: skip


def _fraction(text: str) -> Fraction:
    top, _, bottom = text.partition("/")
    return Fraction(top) / Fraction(bottom or "1")


def plain(unit: str) -> str:
    """Return a unit in one spelling: without blanks, and with one µ for all."""
    return unicodedata.normalize("NFKC", "".join(unit.split())).replace("\u2212", "-")


_KNOWN: dict[str, tuple[int, Fraction, Fraction]] = {
    plain(name): (number, _fraction(factor), _fraction(offset))
    for number, scale in enumerate(_SCALES)
    for names, (factor, offset) in scale.items()
    for name in names.split()
}
_FIRST_NAMES: tuple[tuple[str, ...], ...] = tuple(
    tuple(names.split()[0] for names in scale) for scale in _SCALES
)
_IN_ANY_CASE: dict[str, list[str]] = {}
for _name in _KNOWN:
    _IN_ANY_CASE.setdefault(_name.casefold(), []).append(_name)


def is_known(unit: str) -> bool:
    """Whether it is a unit that is converted from and to."""
    return _found(unit) is not None


def is_same(one: str, other: str) -> bool:
    """Whether two units are one, however they are spelt."""
    if plain(one) == plain(other):
        return True
    first, second = _found(one), _found(other)
    return first is not None and first == second


def conversion(unit: str, into: str) -> Conversion | None:
    """Return how values are converted; None where that is not known."""
    first, second = _found(unit), _found(into)
    if first is None or second is None or first[0] != second[0]:
        return None
    return Conversion(first[1] / second[1], (first[2] - second[2]) / second[1])


def alternatives(unit: str) -> tuple[str, ...]:
    """Return the units that are converted into one, itself included; none if it is not known."""
    found = _found(unit)
    return () if found is None else _FIRST_NAMES[found[0]]


def _found(unit: str) -> tuple[int, Fraction, Fraction] | None:
    name = plain(unit)
    if name in _KNOWN:
        return _KNOWN[name]
    # "KG" is kg; "MM" might be mm or mM, and is neither.
    like = _IN_ANY_CASE.get(name.casefold(), [])
    meanings = {_KNOWN[one] for one in like}
    return meanings.pop() if len(meanings) == 1 else None
