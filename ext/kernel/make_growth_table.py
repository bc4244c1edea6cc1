"""Write leadcore_kernel/growth_table.h: G[i] = round(2^42 2^(i/1024)) of spec 9.4, for i = 0..1023."""

from decimal import Decimal, localcontext
from pathlib import Path


def growth_table() -> list[int]:
    """The table, from 2^(1/1024) to 60 digits by ten square roots."""
    with localcontext() as context:
        context.prec = 60
        root = Decimal(2)
        for _ in range(10):
            root = root.sqrt()
        value, table = Decimal(2**42), []
        for _ in range(1024):
            table.append(int(value.to_integral_value()))
            value *= root
    return table


def header() -> str:
    """The C header."""
    table = growth_table()
    rows = [", ".join(f"{g}u" for g in table[i : i + 8]) for i in range(0, 1024, 8)]
    body = ",\n    ".join(row.replace("u", "ULL") for row in rows)
    return (
        "/* G[i] = round(2^42 2^(i/1024)), spec 9.4. Written by make_growth_table.py; do not edit. */\n"
        "#ifndef LEADCORE_GROWTH_TABLE_H\n#define LEADCORE_GROWTH_TABLE_H\n#include <stdint.h>\n\n"
        f"static const uint64_t leadcore_growth[1024] = {{\n    {body}\n}};\n\n#endif\n"
    )


if __name__ == "__main__":
    Path(__file__).with_name("leadcore_kernel").joinpath("growth_table.h").write_text(header())
