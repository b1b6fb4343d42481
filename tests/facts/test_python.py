"""Plain Python: literals, sequences, branches, loops, functions, classes."""

from __future__ import annotations

from tests.facts.programs import check, facts_of, render


def test_literal_arithmetic_is_folded() -> None:
    check("""
        a = 3 * (2 + 5)  # 21
        b = a // 4 - 1  # 4
        c = 2 ** 10  # 1024
        d = 10 ** 1000  # number
        e = 1 / 0  # unknown
        f = "a" + "b"  # 'ab'
        g = f"{a}x"  # '21x'
        h = -a  # -21
        i = not a  # False
        j = a > 3 and b == 4  # True
        k = int(7.9)  # 7
        l = "%d" % a  # str
        """)


def test_sequences_and_dicts() -> None:
    check("""
        a = (1, 2) + (3,)  # (1, 2, 3)
        b = [0] * 3  # [0, 0, 0]
        c = a[-1]  # 3
        d = a[1:]  # (2, 3)
        e, *f = a
        g = f  # [2, 3]
        h = {"x": 1, "y": (2,)}  # {'x': 1, 'y': (2)}
        i = h["y"][0]  # 2
        j = [n * 2 for n in a]  # [2, 4, 6]
        k = {n: str(n) for n in a}  # {1: str, 2: str, 3: str}
        l = len(a)  # 3
        m = [x for x in a if x > 1]  # [int, ...]
        n = dict(a=1)  # {'a': 1}
        """)


def test_list_methods_change_the_list() -> None:
    check("""
        a = []
        a.append(1)
        b = a  # [1]
        a.extend([2, 3])
        c = a  # [1, 2, 3]
        for i in range(100):
            a.append(i)
        d = a  # [int, ...]
        """)


def test_branches_are_joined() -> None:
    check("""
        import sys
        if sys.argv:
            a = 1
            b = 1
        else:
            a = 2
            b = 1
        c = a  # int
        d = b  # 1
        e = 1 if sys.argv else 2  # int
        if True:
            f = 1
        else:
            f = 2
        g = f  # 1
        """)


def test_a_sum_that_begins_as_a_number_is_the_tensor_that_is_added() -> None:
    check("""
        import tensorflow as tf
        total, steps, best = 0.0, 0, 0
        for x in tf.data.Dataset.from_tensor_slices(tf.zeros([4, 3])):
            total += tf.reduce_sum(tf.cast(x, tf.float64))
            steps += tf.size(x).numpy()
            best = max(best, steps)
        a = total / steps  # float64[]
        b = steps  # int
        c = a.numpy()  # Nfloat64[]
        """)


def test_a_counter_of_a_loop_is_open() -> None:
    check("""
        import sys
        n = 0
        for line in sys.stdin:
            n += 1
        a = n  # int
        total = 0
        for i in range(4):
            total += i
        b = total  # 6
        while n:
            n -= 1
        c = n  # int
        """)


def test_functions_are_evaluated_at_their_calls() -> None:
    check("""
        def scale(a, b=2, *rest, **more):
            return a * b
        x = scale(3)  # 6
        y = scale(3, b=5)  # 15
        z = scale("a", 2)  # str
        def fact(n):
            return 1 if n == 0 else n * fact(n - 1)
        w = fact(30)  # unknown
        double = lambda v: v * 2
        v = double(4)  # 8
        u = scale()  # unknown
        """)


def test_parameters_stand_for_themselves() -> None:
    facts = check("""
        def f(units, rate=0.5, name=None, flag=True):
            a = units * 2 + 1  # unknown units * 2 + 1
            b = rate  # float rate
            c = flag  # bool flag
            d = name  # number name
            return a
        """)
    function = facts.function("m:f")
    assert function is not None
    assert {n: render(v) for n, v in function.params} == {
        "units": "unknown units",
        "rate": "float rate",
        "name": "number name",
        "flag": "bool flag",
    }


def test_a_reassigned_parameter_does_not_stand_for_itself() -> None:
    check("""
        def f(units):
            units = units * 2
            a = units  # unknown
            return a
        """)


def test_instances_carry_their_attributes() -> None:
    check("""
        class Box:
            sides = 4
            def __init__(self, size):
                self.size = size
            @property
            def area(self):
                return self.size * self.size
            def grow(self, by):
                return Box(self.size + by)
        a = Box(3)  # a m:Box
        b = a.area  # 9
        c = a.sides  # 4
        d = a.grow(2).area  # 25
        """)


def test_a_global_is_all_that_it_ever_was() -> None:
    check("""
        mode = 1
        def f():
            x = mode  # int
            return x
        mode = 2
        a = mode  # 2
        """)


def test_unknown_code_stays_unknown() -> None:
    facts = check("""
        import other
        a = other.thing(3)  # unknown
        b = a.b  # unknown a.b
        c = a + 1  # unknown a + 1
        for d in a:
            e = d  # unknown d
        with a as f:
            g = f  # unknown f
        try:
            h = 1
        except ValueError as error:
            h = 2
        i = h  # int
        """)
    assert list(facts.modules["m"].uses()) == []


def test_a_file_that_does_not_parse_has_no_facts() -> None:
    facts = facts_of("print 'python 2'\n")
    assert list(facts.modules["m"].uses()) == []


def test_lists_in_dicts_change() -> None:
    check("""
        a = {"x": [], "y": [1]}
        a["x"].append(2)
        b = len(a["x"])  # 1
        c = a["x"][-1]  # 2
        d = a["y"]  # [1]
        """)


def test_a_global_that_functions_only_name_is_what_it_was() -> None:
    check("""
        import tensorflow as tf
        v = tf.Variable([1.0, 2.0])
        n = 1
        def change():
            global v, n
            v.assign_add([1.0, 1.0])
            n += 1
            return v
        a = change()  # Vfloat32[2]
        b = n  # unknown
        """)


def test_an_entry_of_a_dict_of_tensors_is_one() -> None:
    check("""
        import tensorflow as tf
        a = {"x": tf.ones([2]), "y": tf.zeros([3])}
        for k in a:
            b = a[k]  # float32[?]
        c = {"x": tf.ones([2]), "y": 1}
        for k in c:
            d = c[k]  # unknown
        """)


def test_an_attribute_of_objects_of_two_classes() -> None:
    check("""
        import tensorflow as tf
        class One(tf.Module):
            def __init__(self):
                self.w = tf.Variable(1.0)
                self.n = 1
        class Two(tf.keras.Model):
            def __init__(self):
                super().__init__()
                self.w = tf.Variable(2.0)
                self.n = "a"
        import sys
        model = One() if sys.argv else Two()
        a = model.w  # Vfloat32[]
        b = model.n  # unknown
        """)
