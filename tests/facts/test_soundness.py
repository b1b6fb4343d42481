"""What must not be claimed: values that other code may change."""

from __future__ import annotations

from tests.facts.programs import check, facts_of


def test_globals_that_functions_assign_are_open() -> None:
    check("""
        step = 0
        def advance():
            global step
            step += 1
        advance()
        a = step  # unknown
        """)


def test_nonlocal_variables_are_joined() -> None:
    check("""
        def f():
            count = 0
            def bump():
                nonlocal count
                count = 5
            bump()
            a = count  # int
            return a
        """)


def test_attributes_that_methods_assign_are_open() -> None:
    check("""
        class Counter:
            def __init__(self, start):
                self.n = 0
                self.start = start
            def show(self):
                a = self.n  # unknown
                b = self.start  # int start
                return a, b
            def step(self):
                self.n += 1
        c = Counter(7)
        c.step()
        x = c.n  # unknown
        y = c.start  # 7
        """)


def test_a_list_that_a_function_fills_is_open() -> None:
    check("""
        def fill(items, value):
            items.append(value)
        mine = []
        fill(mine, 3)
        a = mine  # [unknown, ...]
        b = len(mine)  # int len(mine)
        """)


def test_optional_layers_keep_both_ways() -> None:
    check("""
        import sys
        from tensorflow.keras import layers
        x = layers.Input((8,))
        norm = None
        if sys.argv:
            norm = layers.LayerNormalization()
        a = norm  # LayerNormalization
        b = norm is None  # bool
        act = layers.ReLU() if sys.argv else layers.Dense(3)
        c = act  # ReLU | Dense
        d = act(x)  # Kfloat32[?, ?]
        """)


def test_shadowed_names_are_not_tensorflow() -> None:
    facts = check("""
        def f(tf):
            x = tf.zeros((2, 3))  # unknown
            return x
        """)
    assert list(facts.modules["m"].uses()) == []


def test_loops_with_breaks_and_returns() -> None:
    check("""
        import sys
        def find(items):
            found = None
            for item in items:
                if item:
                    found = 1
                    break
                found = 2
            a = found  # unknown
            return found
        def first():
            for n in (1, 2, 3):
                if sys.argv:
                    continue
                x = n  # int n
            return x
        b = first()  # int
        """)


def test_deep_recursion_and_cycles_end() -> None:
    facts = facts_of("""
        def f(n):
            return g(n) + 1
        def g(n):
            return f(n - 1)
        class A:
            def __init__(self):
                self.b = B()
        class B:
            def __init__(self):
                self.a = A()
        x = f(3)
        y = A()
        """)
    assert facts.errors == ()


def test_code_behind_a_return_is_walked() -> None:
    check("""
        import tensorflow as tf
        def f():
            return 1
            x = tf.zeros((2,))  # float32[2]
        """)


def test_surprising_calls_do_no_harm() -> None:
    facts = facts_of("""
        import tensorflow as tf
        from tensorflow.keras import layers
        a = tf.reshape()
        b = layers.Dense()(tf.zeros((2, 3)))
        c = layers.Conv2D("x", None)(3)
        d = tf.concat(5, axis="q")
        e = tf.zeros((2, 3))[5, 6, 7]
        f = layers.Dense(4)(*[1], **{"z": 2})
        g = tf.transpose(tf.zeros((2, 3)), perm=[0, 5])
        h = (1, 2)[9]
        i = layers.Permute((3, 9))(tf.zeros((2, 3, 4)))
        j = tf.split(tf.zeros((2, 3)), 2, axis=7)
        k = tf.gather(tf.zeros((2, 3)), [0], axis=9)
        l = tf.one_hot(tf.zeros((2,)), 3, axis=8)
        m = tf.squeeze(tf.zeros((2,)), axis=[5])
        n = "%d" % ("x",)
        o = range("a")
        p = tf.keras.Sequential(3)
        q = tf.keras.Sequential([3, None])(tf.zeros((2, 3)))
        r = layers.Bidirectional(3)(tf.zeros((2, 3, 4)))
        s = tf.data.Dataset.zip(3).map(7).batch("a")
        t = tf.einsum("ab,bc->ac", 1)
        u = tf.stack(3)
        v = tf.tile(tf.zeros((2,)), 3)
        w = -"a"
        x = {**3}
        y = [*3]
        z = (lambda: 0)(1)
        """)
    assert facts.errors == ()


def test_a_dtype_that_a_parameter_holds_decides_no_branch() -> None:
    check("""
        import tensorflow as tf
        def f(dtype=tf.float32):
            a = dtype == tf.float32  # bool
            return a
        f()
        b = tf.float32 == tf.float32  # True
        """)


def test_what_a_dict_that_is_handed_on_holds_is_open() -> None:
    check("""
        def f(options, defaults={"axis": 1}):
            a = options["axis"]  # int options["axis"]
            b = defaults["axis"]  # int
            return a, b
        f({"axis": 0})
        """)
