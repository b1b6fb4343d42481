"""Optimizer classes as programs write them, for Keras 3 and for Keras 2."""

SIGNS = '''
class Signs(keras.optimizers.Optimizer):
    """Steps by the sign of the momentum."""

    def __init__(self, learning_rate=0.01, momentum=0.9, name="signs", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = []
        for variable in variables:
            self.momentums.append(self.add_variable_from_reference(reference_variable=variable, name="momentum"))

    def update_step(self, gradient, variable, learning_rate):
        """Moves one parameter."""
        lr = tf.cast(learning_rate, variable.dtype)
        m = self.momentums[self._get_variable_index(variable)]
        m.assign(self.momentum * m + (1 - self.momentum) * gradient)
        variable.assign_sub(lr * tf.sign(m))  # the sign alone

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}
'''
ADAM = """
class Moments(keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def build(self, var_list):
        super().build(var_list)
        self._m = [self.add_variable_from_reference(var, "m") for var in var_list]
        self._v = [self.add_variable_from_reference(var, name="v") for var in var_list]

    def corrected(self, moment, beta, t):
        return moment / (1 - tf.pow(beta, t))

    def update_step(self, grad, var, learning_rate):
        t = tf.cast(self.iterations + 1, var.dtype)
        i = self._get_variable_index(var)
        m, v = self._m[i], self._v[i]
        self.assign_add(m, (grad - m) * (1 - self.beta_1))
        v.assign_add((tf.square(grad) - v) * (1 - self.beta_2))
        step = learning_rate * self.corrected(m, self.beta_1, t)
        self.assign_sub(var, step / (tf.sqrt(self.corrected(v, self.beta_2, t)) + learning_rate * 0.01))
"""
SLOTS = """
class Heavy(tf.keras.optimizers.legacy.Optimizer):
    def __init__(self, learning_rate=0.01, momentum=0.9, name="Heavy", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("momentum", momentum)

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "m")

    @tf.function
    def _resource_apply_dense(self, grad, var, apply_state=None):
        var_dtype = var.dtype.base_dtype
        lr = self._decayed_lr(var_dtype)
        m = self.get_slot(var, "m")
        m_t = m.assign(self._get_hyper("momentum", var_dtype) * m + grad)
        return var.assign_sub(lr * m_t)

    def _resource_apply_sparse(self, grad, var):
        raise NotImplementedError
"""
