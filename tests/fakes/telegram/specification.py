"""The published tables of the Bot API, to judge by whether what the fake says has the right shape."""

from pathlib import Path
from typing import Any

import msgspec

_TABLES = Path(__file__).parents[4] / "shared" / "specs" / "telegram-bot-api.json"
_PLAIN: dict[str, type | tuple[type, ...]] = {"Integer": int, "String": str, "Boolean": bool, "Float": (int, float)}


class Specification:
    """The published tables of the Bot API's methods and types."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self.methods: dict[str, Any] = tables["methods"]
        self.types: dict[str, Any] = tables["types"]

    @classmethod
    def load(cls) -> "Specification | None":
        """Read the tables, if this machine has them."""
        return cls(msgspec.json.decode(_TABLES.read_bytes())) if _TABLES.exists() else None

    def complain(self, value: object, names: list[str], where: str) -> list[str]:
        """List how a value differs from every one of the types it may be."""
        complaints = [self._complain(value, name, where) for name in names]
        return [] if [] in complaints else complaints[0]

    def _complain(self, value: object, name: str, where: str) -> list[str]:
        if name.startswith("Array of "):
            if not isinstance(value, list):
                return [f"{where} is no array"]
            inner = [self.complain(item, [name.removeprefix("Array of ")], where) for item in value]
            return [complaint for complaints in inner for complaint in complaints]
        plain: dict[str, type | tuple[type, ...]] = {
            "Integer": int,
            "String": str,
            "Boolean": bool,
            "Float": (int, float),
        }
        if name in plain:
            return [] if isinstance(value, plain[name]) else [f"{where} is no {name}"]
        if "subtypes" in self.types[name]:
            return self.complain(value, self.types[name]["subtypes"], where)
        return self._complain_of_object(value, name, where)

    def _complain_of_object(self, value: object, name: str, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        fields = {field["name"]: field for field in self.types[name].get("fields", [])}
        complaints = [f"{where}.{field} is unknown to {name}" for field in value if field not in fields]
        for field, about in fields.items():
            if field in value:
                complaints += self.complain(value[field], about["types"], f"{where}.{field}")
            elif about["required"]:
                complaints.append(f"{where}.{field} is missing")
        return complaints
