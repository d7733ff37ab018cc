# Runs the source of one Code node. Requests and answers are JSON text, so that no object crosses to the engine.
import ast
import contextlib
import io
import json
import math
import random
import sys
import traceback

SOURCE = "code node"


class Record(dict):
    """A JSON object: item["json"]["id"] and item.json.id."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value


class Input:
    """_input, as older workflows know it."""

    def __init__(self, items, item):
        self._items = items
        self.item = item

    def all(self):
        return self._items

    def first(self):
        return self._items[0] if self._items else None

    def last(self):
        return self._items[-1] if self._items else None


def records(text):
    return json.loads(text, object_hook=Record)


def compiled(source):
    """The source is the body of a function. The parser takes `return` there, so the tree only has to be moved."""
    tree = ast.parse(source, SOURCE)
    function = ast.parse("def main():\n    pass")
    function.body[0].body = tree.body or function.body[0].body
    return compile(ast.fix_missing_locations(function), SOURCE, "exec")


def line_of(error):
    if isinstance(error, SyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == SOURCE]
    return lines[-1] if lines else None


def plain(value):
    """Data by the rules of JSON: dates become text, what is no finite number null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member) for member in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON data")


def run(request):
    request = json.loads(request, object_hook=Record)
    random.seed(request["seed"])
    printed = io.StringIO()
    answer = {}
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            scope = {"__name__": "__main__", "_input": Input(request["items"], request["item"]), "_items": request["items"], "_item": request["item"]}
            scope.update({"_" + name: value for name, value in request["roots"].items()})
            exec(compiled(request["source"]), scope)
            answer["json"] = json.dumps(plain(scope["main"]()))
        except BaseException as error:
            syntax = isinstance(error, SyntaxError)
            message = error.msg if syntax else str(error) or type(error).__name__
            answer["error"] = {"syntax": syntax, "name": type(error).__name__, "message": message, "line": line_of(error)}
    answer["printed"] = printed.getvalue()
    return json.dumps(answer)
