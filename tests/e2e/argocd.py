"""Runs the Lua of deploy/argocd/argocd-cm.yaml on objects, as Argo CD does (its util/lua/lua.go).

Scripts of the ConfigMap get Lua 5.1 with the base and table libraries and a harmless part of `os`, and the object as
the global `obj`. What an action gives back is sent as a merge patch of the difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from lupa.lua51 import LuaRuntime

Json = dict[str, Any]

CONFIG_MAP = Path(__file__).resolve().parents[2] / "deploy" / "argocd" / "argocd-cm.yaml"
DATA = yaml.safe_load(CONFIG_MAP.read_text())["data"]
HEALTH = DATA["resource.customizations.health.selfheal.dev_PodGroup"]
ACTIONS = yaml.safe_load(DATA["resource.customizations.actions.selfheal.dev_PodGroup"])

SANDBOX = """
local safe = {date = os.date, time = os.time}
package.loaded.os = safe
getmetatable("").__index = nil
for name in pairs(package.loaded) do
  if name ~= "_G" and name ~= "os" and name ~= "table" and name ~= "package" then
    package.loaded[name], _G[name] = nil, nil
  end
end
os, io, debug, dofile, loadfile, python = safe, nil, nil, nil, nil, nil
"""


def health(body: Json) -> tuple[str, str]:
    """What Argo CD calls a PodGroup's health, and its message."""
    answer = run(HEALTH, body)
    return answer["status"], answer.get("message", "")


def offered(body: Json) -> set[str]:
    """The actions that Argo CD offers for a PodGroup in its present state."""
    return {name for name, each in run(ACTIONS["discovery.lua"], body).items() if not each.get("disabled")}


def patch_of(action: str, body: Json) -> Json:
    """The merge patch that an action sends."""
    (script,) = (each["action.lua"] for each in ACTIONS["definitions"] if each["name"] == action)
    return difference(body, run(script, body))


def run(script: str, body: Json) -> Json:
    """What a script returns."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute(SANDBOX)
    lua.globals().obj = lua.table_from(body, recursive=True)
    answer: Json = from_lua(lua.execute(script), body)
    return answer


def from_lua(value: Any, former: Any) -> Any:
    """A Lua value as JSON; Lua's empty table may be a list or an object, so it stays what it was."""
    if not hasattr(value, "items"):
        return value
    items = dict(value.items())
    if not items:
        return former if former in ({}, []) else {}
    if all(isinstance(key, int) for key in items):
        elements = dict(enumerate(former, 1)) if isinstance(former, list) else {}
        return [from_lua(items[key], elements.get(key)) for key in sorted(items)]
    fields = former if isinstance(former, dict) else {}
    return {key: from_lua(each, fields.get(key)) for key, each in items.items()}


def difference(old: Json, new: Json) -> Json:
    """The JSON merge patch from one object to another."""
    patch: Json = dict.fromkeys(old.keys() - new.keys())
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            if inner := difference(old[key], value):
                patch[key] = inner
        elif old.get(key) != value:
            patch[key] = value
    return patch
