"""Programs in the manner of layer libraries: configurable constructors, checks in `build`, lists of weights."""

DENSE = """
import tensorflow as tf
from tensorflow.keras import activations, constraints, initializers, regularizers
from tensorflow.keras import backend as K
from tensorflow.keras.layers import InputSpec, Layer


class Scaled(Layer):
    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.supports_masking = True

    def build(self, input_shape):
        assert len(input_shape) >= 2
        if input_shape[-1] is None:
            raise ValueError("the last dimension must be known")
        input_dim = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(input_dim, self.units),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), initializer=self.bias_initializer, name="bias")
        else:
            self.bias = None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_dim})
        self.built = True

    def call(self, inputs):
        output = K.dot(inputs, self.kernel)
        if self.use_bias:
            output = K.bias_add(output, self.bias)
        if self.activation is not None:
            output = self.activation(output)
        return output

    def get_config(self):
        config = {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
        }
        return dict(list(super().get_config().items()) + list(config.items()))


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = Scaled(7, activation="relu", kernel_initializer="he_normal")
        self.out = Scaled(3, use_bias=False)

    def call(self, x):
        return self.out(self.hidden(x))


def make():
    net = Net()
    net.build((None, 5))
    return net
"""

CROSSES = """
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Crosses(Layer):
    def __init__(self, layer_num=2, l2_reg=0.1, seed=1024, **kwargs):
        self.layer_num = layer_num
        self.l2_reg = l2_reg
        self.seed = seed
        super(Crosses, self).__init__(**kwargs)

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError("expected two dimensions, got %d" % len(input_shape))
        dim = int(input_shape[-1])
        self.kernels = [
            self.add_weight(
                name="kernel" + str(i),
                shape=(dim, 1),
                initializer=tf.keras.initializers.GlorotNormal(seed=self.seed),
                regularizer=tf.keras.regularizers.l2(self.l2_reg),
                trainable=True,
            )
            for i in range(self.layer_num)
        ]
        self.bias = []
        for i in range(self.layer_num):
            self.bias.append(self.add_weight(name="bias" + str(i), shape=(dim, 1), initializer="zeros"))
        super(Crosses, self).build(input_shape)

    def call(self, inputs):
        x_0 = tf.expand_dims(inputs, axis=2)
        x_l = x_0
        for i in range(self.layer_num):
            xl_w = tf.tensordot(x_l, self.kernels[i], axes=(1, 0))
            x_l = tf.matmul(x_0, xl_w) + self.bias[i] + x_l
        return tf.squeeze(x_l, axis=2)


class Ranker(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.cross = Crosses(3)

    def call(self, x):
        return self.cross(x)


def make():
    return Ranker()


def run():
    ranker = make()
    return ranker(tf.zeros((1, 6)))
"""

PAIR = """
import tensorflow as tf
from tensorflow.keras.layers import Layer


class Pair(Layer):
    def build(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError("a list of two tensors is needed")
        if len(input_shape[0]) != 2:
            raise ValueError("Unexpected inputs dimensions %s" % str(input_shape))
        self.scale = self.add_weight(shape=(input_shape[1][-1],), initializer="ones", name="scale")
        super().build(input_shape)

    def call(self, inputs, **kwargs):
        one, two = inputs
        return tf.concat([one, two * self.scale], axis=-1)


class Joined(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.pair = Pair()

    def call(self, inputs):
        return self.pair([inputs[0], inputs[1]])


def make():
    joined = Joined()
    joined([tf.zeros((1, 4)), tf.zeros((1, 2))])
    return joined
"""

POOLS = """
import tensorflow as tf
from tensorflow.keras.layers import Dense, Layer


class Pool(Layer):
    def __init__(self, channels, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.activation = tf.keras.activations.get(activation)

    def build(self, input_shape):
        self.dense = Dense(self.channels)
        self.built = True

    def call(self, x):
        return self.activation(self.pool(self.dense(x)))


class MeanPool(Pool):
    def pool(self, x):
        return tf.reduce_mean(x, axis=1)


class AttentionPool(Pool):
    def build(self, input_shape):
        self.attention = self.add_weight(shape=(input_shape[-1], 1), initializer="glorot_uniform", name="attention")
        super().build(input_shape)

    def call(self, x):
        weights = tf.nn.softmax(tf.matmul(x, self.attention), axis=1)
        return tf.reduce_sum(weights * self.dense(x), axis=1)


class Both(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.mean = MeanPool(6, activation="tanh")
        self.attention = AttentionPool(6)

    def call(self, x):
        return self.mean(x) + self.attention(x)


def make():
    both = Both()
    both(tf.zeros((1, 3, 5)))
    return both
"""

RESIDUALS = """
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units, activation="relu")
        self.drop = layers.Dropout(rate)

    def call(self, x, training=None):
        return self.drop(self.dense(x), training=training)


class Residual(Block):
    def __init__(self, units, scale=0.5, **kwargs):
        super().__init__(units, **kwargs)
        self.scale = scale
        self.out = layers.Dense(units, kernel_regularizer=tf.keras.regularizers.l2(0.01))

    def call(self, x, training=None):
        h = super().call(x, training=training)
        return x + self.scale * self.out(h)


class Normed(Residual):
    def __init__(self, units, **kwargs):
        super(Normed, self).__init__(units=units, scale=0.25, **kwargs)
        self.norm = layers.LayerNormalization()

    def call(self, x, training=None):
        return self.norm(super(Normed, self).call(x, training=training))


class Net(tf.keras.Model):
    def __init__(self, width):
        super().__init__()
        self.first = layers.Dense(width)
        self.one = Residual(width, rate=0.2)
        self.two = Normed(width, rate=0.3)

    def call(self, x, training=False):
        x = self.first(x)
        x = self.one(x, training=training)
        return self.two(x, training=training)


def make():
    return Net(6)


def run():
    net = make()
    return net(tf.zeros((1, 5)))
"""

ATTENTION = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K


class ContextAttention(keras.layers.Layer):
    def __init__(
        self,
        W_regularizer=None,
        u_regularizer=None,
        b_regularizer=None,
        W_constraint=None,
        bias=True,
        return_attention=False,
        **kwargs,
    ):
        self.supports_masking = True
        self.init = keras.initializers.get("glorot_uniform")
        self.W_regularizer = keras.regularizers.get(W_regularizer)
        self.u_regularizer = keras.regularizers.get(u_regularizer)
        self.b_regularizer = keras.regularizers.get(b_regularizer)
        self.W_constraint = keras.constraints.get(W_constraint)
        self.bias = bias
        self.return_attention = return_attention
        super().__init__(**kwargs)

    def build(self, input_shape):
        assert len(input_shape) == 3
        self.W = self.add_weight(
            shape=(input_shape[-1], input_shape[-1]),
            initializer=self.init,
            name="W",
            regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )
        if self.bias:
            self.b = self.add_weight(
                shape=(input_shape[-1],), initializer="zero", name="b", regularizer=self.b_regularizer
            )
        self.u = self.add_weight(
            shape=(input_shape[-1],), initializer=self.init, name="u", regularizer=self.u_regularizer
        )
        super().build(input_shape)

    def compute_mask(self, input, input_mask=None):
        return None

    def call(self, x, mask=None):
        uit = K.dot(x, self.W)
        if self.bias:
            uit += self.b
        uit = K.tanh(uit)
        ait = K.sum(uit * self.u, axis=-1)
        a = K.exp(ait)
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        a = K.expand_dims(a)
        weighted = x * a
        if self.return_attention:
            return [K.sum(weighted, axis=1), a]
        return K.sum(weighted, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


class SelfAttention(keras.layers.Layer):
    ATTENTION_TYPE_ADD = "additive"
    ATTENTION_TYPE_MUL = "multiplicative"

    def __init__(
        self,
        units=32,
        attention_width=None,
        attention_type=ATTENTION_TYPE_ADD,
        use_additive_bias=True,
        attention_activation=None,
        kernel_initializer="glorot_normal",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.attention_width = attention_width
        self.attention_type = attention_type
        self.use_additive_bias = use_additive_bias
        self.attention_activation = keras.activations.get(attention_activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.Wx, self.Wt, self.bh = None, None, None
        self.Wa, self.ba = None, None

    def build(self, input_shape):
        if self.attention_type == SelfAttention.ATTENTION_TYPE_ADD:
            self._build_additive(input_shape)
        elif self.attention_type == SelfAttention.ATTENTION_TYPE_MUL:
            self._build_multiplicative(input_shape)
        super().build(input_shape)

    def _build_additive(self, input_shape):
        feature_dim = int(input_shape[2])
        self.Wt = self.add_weight(shape=(feature_dim, self.units), name="Add_Wt", initializer=self.kernel_initializer)
        self.Wx = self.add_weight(shape=(feature_dim, self.units), name="Add_Wx", initializer=self.kernel_initializer)
        if self.use_additive_bias:
            self.bh = self.add_weight(shape=(self.units,), name="Add_bh", initializer=self.bias_initializer)
        self.Wa = self.add_weight(shape=(self.units, 1), name="Add_Wa", initializer=self.kernel_initializer)

    def _build_multiplicative(self, input_shape):
        feature_dim = int(input_shape[2])
        self.Wa = self.add_weight(shape=(feature_dim, feature_dim), name="Mul_Wa", initializer=self.kernel_initializer)

    def call(self, inputs):
        if self.attention_type == SelfAttention.ATTENTION_TYPE_ADD:
            e = self._additive(inputs)
        else:
            e = self._multiplicative(inputs)
        if self.attention_activation is not None:
            e = self.attention_activation(e)
        e = K.exp(e - K.max(e, axis=-1, keepdims=True))
        a = e / K.sum(e, axis=-1, keepdims=True)
        return K.batch_dot(a, inputs)

    def _additive(self, inputs):
        q = K.expand_dims(K.dot(inputs, self.Wt), 2)
        k = K.expand_dims(K.dot(inputs, self.Wx), 1)
        h = K.tanh(q + k + self.bh) if self.use_additive_bias else K.tanh(q + k)
        return K.squeeze(K.dot(h, self.Wa), -1)

    def _multiplicative(self, inputs):
        return K.batch_dot(K.dot(inputs, self.Wa), K.permute_dimensions(inputs, (0, 2, 1)))


class Attending(keras.Model):
    def __init__(self):
        super().__init__()
        self.additive = SelfAttention(4)
        self.multiplicative = SelfAttention(attention_type="multiplicative", attention_activation="sigmoid")
        self.context = ContextAttention()

    def call(self, x):
        return self.context(self.additive(x) + self.multiplicative(x))


def make():
    model = Attending()
    model(tf.zeros((1, 7, 5)))
    return model
"""

INSTANCE_NORM = """
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import constraints, initializers, regularizers
from tensorflow.keras.layers import InputSpec, Layer


class InstanceNorm(Layer):
    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super(InstanceNorm, self).__init__(**kwargs)
        self.supports_masking = True
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def build(self, input_shape):
        ndim = len(input_shape)
        if self.axis == 0:
            raise ValueError("Axis cannot be zero")
        if (self.axis is not None) and (ndim == 2):
            raise ValueError("Cannot specify axis for rank 1 tensor")
        self.input_spec = InputSpec(ndim=ndim)
        shape = (input_shape[-1],)
        if self.scale:
            self.gamma = self.add_weight(
                shape=shape,
                name="gamma",
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        else:
            self.gamma = None
        if self.center:
            self.beta = self.add_weight(
                shape=shape,
                name="beta",
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        else:
            self.beta = None
        self.built = True

    def call(self, inputs, training=None):
        mean = K.mean(inputs, [1, 2], keepdims=True)
        stddev = K.std(inputs, [1, 2], keepdims=True) + self.epsilon
        normed = (inputs - mean) / stddev
        if self.scale:
            normed = normed * self.gamma
        if self.center:
            normed = normed + self.beta
        return normed

    def get_config(self):
        config = {
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
        }
        base_config = super(InstanceNorm, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


class Normed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.norm = InstanceNorm()
        self.shift = InstanceNorm(scale=False)

    def call(self, x):
        return self.shift(self.norm(x))


def make():
    model = Normed()
    model(tf.zeros((1, 4, 5, 3)))
    return model
"""

OWN_OBJECTS = """
import tensorflow as tf
from tensorflow import keras


class Smooth(keras.regularizers.Regularizer):
    def __init__(self, strength=0.01):
        self.strength = strength

    def __call__(self, weights):
        return self.strength * tf.reduce_sum(tf.square(weights[1:] - weights[:-1]))

    def get_config(self):
        return {"strength": float(self.strength)}


class Between(keras.constraints.Constraint):
    def __init__(self, low, high):
        self.low, self.high = low, high

    def __call__(self, w):
        return tf.clip_by_value(w, self.low, self.high)


def falling(weights):
    return tf.minimum(weights, 0.2 * tf.range(1.0, 5.0)[:, None])


def rows(weights):
    return tf.reduce_sum(tf.abs(weights), axis=0)[0]


class Bounded(keras.layers.Layer):
    def __init__(self, units, limit=0.2):
        super().__init__()
        self.units = units
        self.limit = limit

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(int(input_shape[-1]), self.units), initializer="he_normal", regularizer=rows,
            constraint=Between(-self.limit, self.limit), name="kernel")
        self.scale = self.add_weight(shape=(self.units,), initializer="ones", constraint="non_neg", name="scale")

    def call(self, x):
        return tf.matmul(x, self.kernel) * self.scale


class Network(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(5, activation="tanh", kernel_regularizer=Smooth(0.5), kernel_constraint=falling,
                                        activity_regularizer="l2")
        self.second = Bounded(3)
        self.last = keras.layers.Conv1D(2, 2, kernel_constraint=keras.constraints.MaxNorm(0.3, axis=[0, 1]),
                                        bias_constraint=Between(0.0, 0.1), kernel_regularizer=Smooth(0.1))

    def call(self, x):
        return self.last(self.second(self.first(x)))


def make():
    inputs = keras.Input(shape=(6, 4))
    return keras.Model(inputs, Network()(inputs))
"""

CHOSEN = """
import tensorflow as tf
from tensorflow.keras import layers


class Gated(layers.Layer):
    def __init__(self, units, activation=None, kernel_regularizer=None, penalty=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_regularizer = tf.keras.regularizers.get(kernel_regularizer)
        self.inner = layers.Dense(units, activation=activation, kernel_regularizer=penalty)

    def build(self, input_shape):
        width = input_shape[-1]
        self.gate = self.add_weight(
            name="gate", shape=(width, self.units), regularizer=self.kernel_regularizer
        )
        self.bound = float(width) ** 0.5
        super().build(input_shape)

    def call(self, x):
        return self.inner(x) * tf.matmul(x, self.gate) / self.bound


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.one = Gated(6, "relu", kernel_regularizer=tf.keras.regularizers.l2(0.1))
        self.two = Gated(6, "softmax", penalty=tf.keras.regularizers.L1L2(0.01, 0.02))
        self.three = Gated(6, kernel_regularizer="l2")
        self.four = Gated(5, tf.nn.tanh)

    def call(self, x):
        return self.four(self.three(self.two(self.one(x))))


def make():
    net = Net()
    net(tf.zeros((1, 4)))
    return net
"""

CHOSEN_BLOCKS = """
import tensorflow as tf
from tensorflow.keras import layers, regularizers


def block(x, units, activation="relu", reg=None):
    x = layers.Dense(units, activation=activation, kernel_regularizer=reg)(x)
    return layers.Dense(units, activation=activation)(x)


def conv(x, filters, activation):
    return layers.Conv2D(filters, 3, padding="same", activation=activation)(x)


def make():
    inputs = tf.keras.Input((6, 5, 3))
    x = conv(inputs, 4, "softmax")
    x = conv(x, 5, "elu")
    x = layers.GlobalAveragePooling2D()(x)
    x = block(x, 8, reg=regularizers.l2(0.01))
    x = block(x, 4, None)
    return tf.keras.Model(inputs, block(x, 3, "softmax", regularizers.l1(0.02)))
"""

LISTS = """
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import layers


class Bilinear(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        assert len(input_shape) == 2
        left, right = input_shape[0][-1], int(input_shape[1][-1])
        self.left = self.add_weight(name="left", shape=(left, self.units))
        self.right = self.add_weight(name="right", shape=(right, self.units))
        self.built = True

    def call(self, inputs):
        query, key = inputs
        return K.dot(query, self.left) * K.dot(key, self.right)


class Scores(layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(input_shape[0][-1], 1))

    def call(self, inputs):
        return tf.concat([tf.matmul(x, self.w) for x in inputs], axis=-1)


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.bilinear = Bilinear(4)
        self.scores = Scores()
        self.last = Scores()

    def call(self, inputs):
        both = self.bilinear([inputs[0], inputs[1]])
        return self.last([self.scores([both, both, both]), tf.zeros_like(both)[:, :3]])


def make():
    net = Net()
    net([tf.zeros((1, 3)), tf.zeros((1, 5))])
    return net
"""

BASES = """
import tensorflow as tf
from tensorflow.keras import layers


class Base(layers.Layer):
    def __init__(self, units, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_regularizer = tf.keras.regularizers.get(kernel_regularizer)
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units), regularizer=self.kernel_regularizer
        )
        self.built = True

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Projected(Base):
    def __init__(self, units, scale=1.0, activation="relu", kernel_regularizer=None, **kwargs):
        super().__init__(units, kernel_regularizer=kernel_regularizer, **kwargs)
        self.scale = scale
        self.activation = tf.keras.activations.get(activation)

    def call(self, inputs):
        return self.activation(self.scale * tf.matmul(inputs, self.kernel))


class Biased(Base):
    def build(self, input_shape):
        super().build(input_shape)
        self.bias = self.add_weight(name="bias", shape=input_shape[-1:], initializer="zeros")
        self.built = True

    def call(self, inputs):
        return tf.matmul(inputs + self.bias, self.kernel)


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.one = Projected(6, 0.5, kernel_regularizer=tf.keras.regularizers.l2(0.1))
        self.two = Biased(3)

    def call(self, x):
        return self.two(self.one(x))


def make():
    net = Net()
    net(tf.zeros((1, 4)))
    return net
"""

BY_NAME = """
import tensorflow as tf
from tensorflow.keras.layers import Activation, Dense, Dropout, Layer


class Stack(Layer):
    def __init__(self, units, activation="relu", rate=0.1, kernel_initializer="glorot_normal", **kwargs):
        self.units = units
        self.activation = activation
        self.rate = rate
        self.kernel_initializer = kernel_initializer
        super(Stack, self).__init__(**kwargs)

    def build(self, input_shape):
        sizes = [int(input_shape[-1])] + list(self.units)
        self.kernels = [
            self.add_weight(
                name="kernel" + str(i), shape=(sizes[i], sizes[i + 1]), initializer=self.kernel_initializer
            )
            for i in range(len(self.units))
        ]
        self.acts = [Activation(self.activation) for _ in self.units]
        self.drops = [Dropout(self.rate) for _ in self.units]
        self.uses_learning_phase = True
        super(Stack, self).build(input_shape)

    def call(self, x, training=None):
        for i in range(len(self.units)):
            x = tf.tensordot(x, self.kernels[i], axes=(-1, 0))
            try:
                x = self.acts[i](x, training=training)
            except TypeError as error:
                print("no such argument", error)
                x = self.acts[i](x)
            x = self.drops[i](x, training=training)
        if tf.__version__ < "1.13.0":
            x = tf.layers.flatten(x)
        x._uses_learning_phase = training is not None
        return x


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.one = Stack((6, 5), activation="tanh", kernel_initializer="he_uniform")
        self.two = Stack([3])
        self.head = Dense(2)

    def call(self, x):
        return self.head(tf.concat([self.one(x), self.two(x)], axis=-1))


def make():
    net = Net()
    net(tf.zeros((1, 4)))
    return net
"""

FIELDS = """
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Layer


class Gate(Layer):
    def build(self, input_shape):
        self.fields = int(input_shape[1])
        self.size = int(input_shape[2])
        self.gate = self.add_weight(shape=(1, self.fields, 1), initializer="ones", name="gate")
        super().build(input_shape)

    def call(self, inputs, **kwargs):
        if K.ndim(inputs) != 3:
            raise ValueError("Unexpected inputs dimensions %d" % K.ndim(inputs))
        return tf.reshape(inputs * tf.nn.softmax(self.gate, 1), [-1, self.fields * self.size])


class Squeeze(Layer):
    def __init__(self, ratio=2, **kwargs):
        self.ratio = ratio
        super().__init__(**kwargs)

    def build(self, input_shape):
        if not isinstance(input_shape, (list, tuple)) or len(input_shape) < 2:
            raise ValueError("a list of at least 2 inputs")
        self.fields = len(input_shape)
        inner = max(1, self.fields // self.ratio)
        self.down = self.add_weight(shape=(self.fields, inner), name="down")
        self.up = self.add_weight(shape=(inner, self.fields), name="up")
        self.biases = [
            self.add_weight(shape=(input_shape[0][-1],), initializer="zeros", name="bias" + str(i))
            for i in range(len(input_shape))
        ]

    def call(self, inputs):
        if K.ndim(inputs[0]) != 3:
            raise ValueError("Unexpected inputs dimensions %d" % K.ndim(inputs))
        x = tf.concat([one + bias for one, bias in zip(inputs, self.biases)], axis=1)
        z = tf.reduce_mean(x, axis=-1)
        a = tf.tensordot(tf.nn.relu(tf.tensordot(z, self.down, axes=(-1, 0))), self.up, axes=(-1, 0))
        return tf.split(x * tf.expand_dims(a, axis=2), self.fields, axis=1)


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.gate = Gate()
        self.squeeze = Squeeze()
        self.head = Dense(2)

    def call(self, x):
        x = tf.reshape(x, (-1, 4, 3))
        a, b, c = self.squeeze([x[:, :1], x[:, 1:2], x[:, 3:]])
        return self.head(tf.concat([self.gate(x), tf.concat([a, b, c], axis=1)[:, 1]], axis=-1))


def make():
    net = Net()
    net(tf.zeros((1, 12)))
    return net
"""

ATTENDING = """
import tensorflow as tf
from tensorflow.keras.layers import Dense, Layer, LayerNormalization


class Settings:
    def __init__(self, width=6, depth=2):
        self.width, self.depth = width, depth


class Attention(Layer):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.qkv = Dense(3 * settings.width)
        self.out = Dense(settings.width)

    def call(self, x, mask=None):
        q, k, v = tf.split(self.qkv(x), 3, axis=-1)
        scores = tf.matmul(q, k, transpose_b=True)
        scores *= self.settings.width**-0.5
        if mask is not None:
            scores += mask * -1e9
        return self.out(tf.matmul(tf.nn.softmax(scores, axis=-1), v))


class Block(Layer):
    def __init__(self, settings: Settings):
        super().__init__()
        self.attention = Attention(settings)
        self.norm = LayerNormalization()

    def call(self, x, mask, training=None):
        return self.norm(x + self.attention(x, mask=mask))


class Net(tf.keras.Model):
    def __init__(self, settings, head):
        super().__init__()
        self.inner = Dense(settings.width)
        self.blocks = [Block(settings) for _ in range(settings.depth)]
        self.head = Dense(head["classes"] * 2, use_bias=head["bias"])

    def call(self, x):
        size = tf.shape(x)[1]
        mask = 1 - tf.linalg.band_part(tf.ones((size, size)), -1, 0)
        x = self.inner(x)
        x *= 2.0
        for block in self.blocks:
            x = block(x, mask=mask)
        return self.head(x)


def make():
    net = Net(Settings(width=4), {"classes": 3, "bias": False})
    net(tf.zeros((1, 5, 3)))
    return net
"""

PROGRAMS = {
    "attending": (ATTENDING, [(2, 5, 3)]),
    "fields": (FIELDS, [(5, 12)]),
    "chosen by name": (BY_NAME, [(5, 4)]),
    "own objects for weights": (OWN_OBJECTS, [(3, 6, 4)]),
    "chosen": (CHOSEN, [(4, 4)]),
    "chosen blocks": (CHOSEN_BLOCKS, [(2, 6, 5, 3)]),
    "lists": (LISTS, [(4, 3), (4, 5)]),
    "bases": (BASES, [(5, 4)]),
    "dense": (DENSE, [(4, 5)]),
    "crosses": (CROSSES, [(4, 6)]),
    "pair": (PAIR, [(3, 4), (3, 2)]),
    "pools": (POOLS, [(4, 3, 5)]),
    "attention": (ATTENTION, [(2, 7, 5)]),
    "instance norm": (INSTANCE_NORM, [(2, 4, 5, 3)]),
    "residuals": (RESIDUALS, [(4, 5)]),
}
