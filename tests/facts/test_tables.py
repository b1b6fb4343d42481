"""Tables that scikit-learn loads, splits and scales."""

from __future__ import annotations

from tests.facts.programs import check


def test_tables_keep_their_rank() -> None:
    check("""
        import numpy as np
        from sklearn.datasets import load_iris
        from sklearn.model_selection import train_test_split
        from sklearn.preprocessing import StandardScaler
        iris = load_iris()
        a = iris.data  # Nfloat64[?, ?]
        b = iris.target  # Nany[?]
        x, z, y, w = train_test_split(np.zeros((10, 3)), iris.target, test_size=0.2)
        c = x  # Nfloat64[?, 3]
        d = w  # Nany[?]
        scaler = StandardScaler().fit(x)
        e = scaler.transform(z)  # Nfloat64[?, ?]
        f = StandardScaler().fit_transform(open("x"))  # Nany[?, ?]
        g = e.shape[1]  # int e.shape[1]
        """)


def test_what_is_no_array_stays_open() -> None:
    check("""
        import pandas
        from sklearn.datasets import load_iris
        from sklearn.model_selection import train_test_split
        a, b = train_test_split(pandas.read_csv("x.csv"))
        c = a  # unknown a
        d = load_iris(return_X_y=True)  # unknown
        e = load_iris(as_frame=True).data  # unknown
        """)
