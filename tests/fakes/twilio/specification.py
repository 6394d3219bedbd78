"""Twilio's published description of its API, to judge by whether what the fake says has the right shape."""

import re
from pathlib import Path
from typing import Any

import msgspec

_FILE = Path(__file__).parents[4] / "shared" / "specs" / "twilio-messages.json"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "object": dict,
    "array": list,
    "boolean": bool,
    "number": (int, float),
}


class Specification:
    """The OpenAPI description of Messages."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._paths: dict[str, Any] = description["paths"]
        self._schemas: dict[str, Any] = description["components"]["schemas"]

    @classmethod
    def load(cls) -> "Specification | None":
        """Read it, if this machine has it."""
        return cls(msgspec.json.decode(_FILE.read_bytes())) if _FILE.exists() else None

    def form_fields(self) -> set[str]:
        """Name what a new message may be given."""
        post = self._paths["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]
        return set(post["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"])

    def list_answer(self) -> dict[str, Any]:
        """Give the schema of a page of messages."""
        get = self._paths["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]
        schema: dict[str, Any] = get["responses"]["200"]["content"]["application/json"]["schema"]
        return schema

    def schema(self, name: str) -> dict[str, Any]:
        """Give a schema by its name."""
        found: dict[str, Any] = self._schemas[name]
        return found

    def complain(self, value: Any, schema: dict[str, Any], where: str) -> list[str]:
        """List how a value differs from its schema."""
        if "$ref" in schema:
            return self.complain(value, self._schemas[schema["$ref"].rpartition("/")[2]], where)
        if value is None:
            return [] if schema.get("nullable") else [f"{where} is null"]
        kind = schema.get("type", "object")
        # In a name of its own: the checker would take it for the union of all these types.
        fits = isinstance(value, _TYPES[kind])
        if not fits:
            return [f"{where} is no {kind}"]
        complaints: list[str] = []
        if "pattern" in schema and not re.search(schema["pattern"], value):
            complaints.append(f"{where} does not look right")
        if "enum" in schema and value not in schema["enum"]:
            complaints.append(f"{where} is none of those known")
        properties = schema.get("properties", {})
        if properties:
            complaints += [f"{where}.{name} is unknown" for name in value if name not in properties]
            complaints += [f"{where}.{name} is missing" for name in properties if name not in value]
            for name, inner in properties.items():
                if name in value:
                    complaints += self.complain(value[name], inner, f"{where}.{name}")
        for item in value if kind == "array" else ():
            complaints += self.complain(item, schema["items"], f"{where}[]")
        return complaints
