from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.llm.calls import Message, Prompt
from migrator.llm.redact import redact
from migrator.llm.replies import Answer, Empty, Reply

HARMLESS = [
    "import tensorflow as tf\n\n\ndef f(x, keys):\n    return tf.gather(x, keys, axis=-1)\n",
    'model.add(tf.keras.layers.Dense(10, activation="softmax", name="predictions_of_the_last_layer"))\n',
    'WEIGHTS = "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights.h5"\n',
    "attention = MultiHeadAttention(num_heads=8, key_dim=64)\npassword = None\n",
    "IMAGENET_MEAN = [103.939, 116.779, 123.68]\n",
]

SECRETS = {
    "an assignment": ('api_key = "abcdefgh-1234-not-random"', "abcdefgh-1234-not-random"),
    "a short password": ('password = "hunter2"', "hunter2"),
    "AWS": ('client("AKIAIOSFODNN7EXAMPLE")', "AKIAIOSFODNN7EXAMPLE"),
    "GitHub": ('TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"', "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    "a URL": ("# postgres://bob:s3cr3t-word@db.example.com/x", "s3cr3t-word"),
    "random letters": ('x = "kX9vQ2mLp7RtZw4YbN8sHd3GfJ6cVa1T"', "kX9vQ2mLp7RtZw4YbN8sHd3GfJ6cVa1T"),
    "a private key": ("-----BEGIN PRIVATE KEY-----\nMIIBVw\n-----END PRIVATE KEY-----", "MIIBVw"),
    "half a private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIBVw\n", "MIIBVw"),
    "a Slack token": ('s = "xoxb-123456789012-abcdefABCDEF"', "xoxb-123456789012-abcdefABCDEF"),
}


def asked(text: str) -> Prompt:
    return Prompt("system", (Message("user", text),), "a.py::f", "1")


def text_of(prompt: Prompt) -> str:
    return "\n".join((prompt.system, *(message.text for message in prompt.messages)))


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_code_stays_as_it_is(text: str) -> None:
    assert redact(asked(text), {}).prompt == asked(text)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_go_and_come_back(name: str) -> None:
    text, secret = SECRETS[name]
    found = redact(asked(f"before\n{text}\nafter\n"), {})
    assert secret not in text_of(found.prompt)
    assert "before" in text_of(found.prompt)
    assert "after" in text_of(found.prompt) or name == "half a private key"
    mark = next(mark for mark, known in found.secrets if secret in known)
    restored = found.restore(Answer(Reply(code=f"x = '{mark}'", imports=[mark])))
    assert isinstance(restored, Answer)
    assert secret in restored.reply.code
    assert secret in restored.reply.imports[0]


def test_a_secret_is_found_everywhere_once_it_is_known() -> None:
    text = 'secret = "correct-horse-battery"\nprint("correct-horse-battery")\n# correct-horse-battery\n'
    assert "horse" not in text_of(redact(asked(text), {}).prompt)


def test_a_short_one_does_not_tear_words_apart() -> None:
    found = text_of(redact(asked('password = "tf"\nimport tensorflow as tf\ny = tf.sin("tf")\n'), {}).prompt)
    assert "import tensorflow as tf\ny = tf.sin(" in found
    assert '"tf"' not in found


def test_values_of_the_environment() -> None:
    environment = {"MY_API_KEY": "plain words only", "HOME": "/home/someone", "SHORT_TOKEN": "abc"}
    found = text_of(redact(asked("x = 'plain words only'  # /home/someone abc"), environment).prompt)
    assert "plain words" not in found
    assert "/home/someone abc" in found


def test_the_same_text_gives_the_same_placeholders() -> None:
    text = "\n".join(text for text, _ in SECRETS.values())
    assert redact(asked(text), {}) == redact(asked(text), {})


def test_more_than_nine() -> None:
    text = "\n".join(f'password = "word-number-{number:02}"' for number in range(12))
    found = redact(asked(text), {})
    everything = " ".join(mark for mark, _ in found.secrets)
    restored = found.restore(Answer(Reply(code=everything)))
    assert restored == Answer(Reply(code=" ".join(f"word-number-{number:02}" for number in range(12))))


def test_other_outcomes_and_foreign_placeholders_stay() -> None:
    found = redact(asked('password = "hunter2-long"'), {})
    assert found.restore(Empty()) == Empty()
    assert found.restore(Answer(Reply(code="REDACTED_SECRET_99"))) == Answer(Reply(code="REDACTED_SECRET_99"))


@given(st.text(max_size=200), st.sampled_from([text for text, _ in SECRETS.values()]))
def test_whatever_surrounds_it_nothing_is_changed_but_secrets(around: str, secret: str) -> None:
    text = f"{around}\n{secret}\n"
    found = redact(asked(text), {})
    restored = found.restore(Answer(Reply(code=found.prompt.messages[0].text)))
    assert restored == Answer(Reply(code=text))
