"""A probe that gives back what it gets, or runs the text of `request["code"]`: for tests of the sandbox itself."""


def run(request, arrays):
    scope = {"arrays": arrays, "result": dict(request)}
    if "code" in request:
        exec(compile(request["code"], "tree_code", "exec"), scope)
    scope["result"].pop("code", None)
    return scope["result"], scope["arrays"]
