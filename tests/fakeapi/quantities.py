"""Quantities as kube-apiserver writes them back: `0.5` is 500m, `1024Mi` is 1Gi (apimachinery/pkg/api/resource).

What is finer than a thousandth is rounded up (SetDefaults_ResourceList). Expected values are a kube-apiserver 1.37.2's.
"""

import re
from fractions import Fraction
from math import ceil

QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")
THOUSAND, KIBI = 1000, 1024


def is_quantity(value: object) -> bool:
    """Tell whether a value can be read as a quantity."""
    return bool(QUANTITY.fullmatch(str(value)))


def canonical(value: object) -> str:
    """Write a quantity as the server does; one with an exponent stays as it is written."""
    text = str(value)
    found = QUANTITY.fullmatch(text)
    if not found:
        return text
    number, suffix = found.groups()
    if suffix in BINARY[1:]:
        amount = Fraction(number) * KIBI ** BINARY.index(suffix)
        whole = amount.denominator == 1 and abs(amount) >= KIBI
        return shortened(int(amount), KIBI, BINARY) if whole else decimal(amount)
    if suffix not in DECIMAL:
        return text
    return decimal(Fraction(number) * Fraction(THOUSAND) ** (DECIMAL.index(suffix) - DECIMAL.index("")))


def decimal(amount: Fraction) -> str:
    """Write a number with a suffix of a power of a thousand, the largest that leaves it whole."""
    return shortened(ceil(amount * THOUSAND), THOUSAND, DECIMAL[DECIMAL.index("m") :])


def shortened(whole: int, base: int, suffixes: tuple[str, ...]) -> str:
    """Write a whole number with the largest suffix that leaves it whole."""
    if not whole:
        return "0"
    power = 0
    while whole % base == 0 and power < len(suffixes) - 1:
        whole, power = whole // base, power + 1
    return f"{whole}{suffixes[power]}"
