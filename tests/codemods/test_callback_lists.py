"""Which callbacks a `fit` is given, and where that is not certain."""

from __future__ import annotations

import textwrap

import pytest

from tests.codemods.training_support import HEAD, draft, reasons

TOP = """
def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3)])


"""


def body(text: str) -> str:
    made = draft(HEAD + TOP + textwrap.dedent(text))
    assert made.declines == ()
    return made.text.strip("\n")


def why(lines: str, given: str = "") -> str:
    text = f"def train(model, x, y{given}):\n    model.compile('sgd', loss='mse')\n" + textwrap.indent(
        textwrap.dedent(lines), "    "
    )
    return reasons(TOP + text)


STOP = "keras.callbacks.EarlyStopping(monitor='loss')"
BEST = "keras.callbacks.ModelCheckpoint('best.keras', monitor='loss', save_best_only=True)"


def test_a_name_that_is_bound_anew_for_each_training() -> None:
    text = body(f"""
        model = build_model()
        model.compile("sgd", loss="mse")
        callbacks = [{BEST}]
        model.fit(x, y, callbacks=callbacks)
        callbacks = [{BEST.replace("best.keras", "other.keras")}]
        model.fit(x, y, callbacks=callbacks)
    """)
    assert text.index("best.pt") < text.index("other.pt")
    assert "callbacks" not in text


def test_a_branch_that_only_adds_callbacks_goes() -> None:
    text = body(f"""
        def train(model, x, y, stops):
            model.compile("sgd", loss="mse")
            callbacks = []
            # not for long
            if stops:
                callbacks.append({STOP})
            model.fit(x, y, callbacks=callbacks, verbose=0)
    """)
    assert text == textwrap.dedent("""
        def train(model, x, y, stops):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
            # not for long
            loader = make_loader(x, y, batch_size=32, shuffle=True)
            if stops:
                best, wait = float("inf"), 0
            for epoch in range(1):
                logs = run_epoch(model, loader, optimizer)
                if stops:
                    wait += 1
                    if logs["loss"] < best:
                        best, wait = logs["loss"], 0
                    elif wait >= 0 and epoch > 0:
                        break
    """).strip("\n")


def test_the_other_lines_of_a_branch_stay() -> None:
    text = body(f"""
        def train(model, x, y, stops):
            model.compile("sgd", loss="mse")
            callbacks = []
            if stops:
                print("stops")
                callbacks.append({STOP})
            model.fit(x, y, callbacks=callbacks, verbose=0)
    """)
    assert '    if stops:\n        print("stops")\n    loader' in text


def test_a_list_of_the_file_is_read_in_a_function() -> None:
    text = body(f"""
        callbacks = [{STOP}]

        def train(model, x, y):
            model.compile("sgd", loss="mse")
            model.fit(x, y, callbacks=callbacks, verbose=0)
    """)
    assert "callbacks" not in text
    assert "elif wait >= 0 and epoch > 0:" in text


def test_a_list_of_callbacks_and_none_at_all() -> None:
    assert why(f"model.fit(x, y, callbacks=keras.callbacks.CallbackList([{STOP}], model=model))") == ""
    assert why("callbacks = None\nmodel.fit(x, y, callbacks=callbacks)") == ""


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (f"best = {BEST}\nmodel.fit(x, y, callbacks=[best])\nmodel.fit(x, y, callbacks=[best])", "trainings share"),
        (f"best = {BEST}\nfor _ in range(2):\n    model.fit(x, y, callbacks=[best])", "trainings share"),
        (
            "c = keras.callbacks.BackupAndRestore('kept', save_freq=30)\nmodel.fit(x, y, callbacks=[c])",
            "BackupAndRestore: `save_freq` has no rule",
        ),
        (
            "c = []\nif n > 3:\n    c.append(keras.callbacks.BackupAndRestore('kept'))\nmodel.fit(x, y, callbacks=c)",
            "BackupAndRestore on a condition",
        ),
        (f"stop = {STOP}\nmodel.fit(x, y, callbacks=[stop])\nprint(stop.stopped_epoch)", "not certain"),
        (f"stop = {STOP}\nother = [stop, 3]\nmodel.fit(x, y, callbacks=[stop])\nprint(other)", "not certain"),
        (
            f"c = []\nif len(x) > 3:\n    c.append({STOP})\nmodel.fit(x, y, callbacks=c)",
            "a condition that may change",
        ),
        (
            f"on = True\nc = []\nif on:\n    c.append({STOP})\non = False\nmodel.fit(x, y, callbacks=c)",
            "a condition that may change",
        ),
        (f"c = []\nfor _ in range(2):\n    c.append({STOP})\n    model.fit(x, y, callbacks=c)", "not certain"),
        (f"c = []\nfor _ in range(2):\n    c.append({STOP})\nmodel.fit(x, y, callbacks=c)", "not certain"),
        (
            "p = 'a.csv'\nc = [keras.callbacks.CSVLogger(p)]\np = 'b.csv'\nmodel.fit(x, y, callbacks=c)",
            "is bound again",
        ),
        (
            "c = [keras.callbacks.CSVLogger(name())]\nmodel.fit(x, y, callbacks=c)\nmodel.fit(x, y, callbacks=c)",
            "with what a call gives",
        ),
        (f"if x is None:\n    c = [{STOP}]\nelse:\n    c = [{BEST}]\nmodel.fit(x, y, callbacks=c)", "not certain"),
    ],
)
def test_what_is_not_certain(lines: str, reason: str) -> None:
    assert reason in why(lines)


def test_what_a_caller_gives_is_not_known() -> None:
    assert "not certain" in why("model.fit(x, y, callbacks=callbacks)", ", callbacks=None")
