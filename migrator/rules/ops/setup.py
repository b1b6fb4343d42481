"""Set-up of the runtime: devices, memory, eager mode, graph state. Most of it says nothing in PyTorch."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst.matchers as m

from migrator.model import Helper
from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import block, declined_block, declines, no_grad
from migrator.rules.ops.pieces import elements, on_arguments, text

if TYPE_CHECKING:
    import torch

_SIGNATURES = {
    "tf.keras.backend.clear_session": "free_memory: Ignored = True",
    "tf.config.experimental.set_memory_growth": "device: Ignored, enable: Ignored",
    "tf.config.set_soft_device_placement": "enabled: Ignored",
    "tf.config.run_functions_eagerly": "run_eagerly: Ignored",
    "tf.config.optimizer.set_jit": "enabled: Ignored",
    "tf.debugging.set_log_device_placement": "enabled: Ignored",
    "tf.debugging.enable_traceback_filtering": "",
    "tf.debugging.disable_traceback_filtering": "",
    "tf.compat.v1.enable_eager_execution": (
        "config: Ignored = None, device_policy: Ignored = None, execution_mode: Ignored = None"
    ),
    "tf.compat.v1.enable_v2_behavior": "",
    "tf.compat.v1.enable_resource_variables": "",
    "tf.compat.v1.enable_v2_tensorshape": "",
    "tf.compat.v1.enable_control_flow_v2": "",
    "tf.compat.v1.enable_tensor_equality": "",
    "tf.compat.v1.reset_default_graph": "",
}
_TRIED = {  # those that can still be called once TensorFlow runs
    "tf.keras.backend.clear_session": "tf.keras.backend.clear_session()",
    "tf.config.set_soft_device_placement": "tf.config.set_soft_device_placement(True)",
    "tf.config.optimizer.set_jit": "tf.config.optimizer.set_jit(False)",
    "tf.config.run_functions_eagerly": "tf.config.run_functions_eagerly(False)",
    "tf.debugging.set_log_device_placement": "tf.debugging.set_log_device_placement(False)",
    "tf.debugging.enable_traceback_filtering": "tf.debugging.enable_traceback_filtering()",
    "tf.debugging.disable_traceback_filtering": "tf.debugging.disable_traceback_filtering()",
    "tf.compat.v1.enable_eager_execution": "tf.compat.v1.enable_eager_execution()",
    "tf.compat.v1.enable_v2_behavior": "tf.compat.v1.enable_v2_behavior()",
    "tf.compat.v1.enable_resource_variables": "tf.compat.v1.enable_resource_variables()",
    "tf.compat.v1.enable_v2_tensorshape": "tf.compat.v1.enable_v2_tensorshape()",
    "tf.compat.v1.enable_control_flow_v2": "tf.compat.v1.enable_control_flow_v2()",
    "tf.compat.v1.enable_tensor_equality": "tf.compat.v1.enable_tensor_equality()",
    "tf.compat.v1.reset_default_graph": "tf.compat.v1.reset_default_graph()",
    "tf.config.experimental.set_memory_growth": (
        "for gpu in tf.config.list_physical_devices('GPU'):\n    tf.config.experimental.set_memory_growth(gpu, True)"
    ),
}
_EAGER = "return tf.compat.v1.executing_eagerly_outside_functions()"

for _api, _parameters in _SIGNATURES.items():
    same(_api, "None", _parameters, samples=[block(f"{_TRIED[_api]}\nreturn 1")])


def _devices(api: str) -> None:
    @rule(
        api,
        samples=[
            no_grad(block(f"return len({api}('GPU'))")),
            no_grad(block(f"return len({api}(device_type='CPU'))")),
            no_grad(block(f"return len({api}('TPU'))")),
            declines(),
        ],
    )
    def devices(device_type=None):
        if device_type == "GPU":
            return [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
        if device_type == "CPU":
            return [torch.device("cpu")]
        if device_type == "TPU":
            return []
        raise Decline("devices of every kind")


_devices("tf.config.list_physical_devices")
_devices("tf.config.list_logical_devices")


_VISIBLE = """
gpus = tf.config.list_physical_devices('GPU')
for gpu in gpus:
    tf.config.set_visible_devices([gpu], 'GPU')
if gpus:
    tf.config.set_visible_devices(gpus[-1], 'GPU')
return 1
"""


@on_arguments
def one_device(devices: object) -> Code:
    """The one device of a list, or one that an index picks."""
    written = elements(devices)
    if isinstance(devices, Arg) and written is not None and len(written) == 1:
        return Code(text(written[0]), covers=(devices.name,))
    if not isinstance(devices, Arg) or not m.matches(devices.node, m.Subscript(slice=[m.SubscriptElement(m.Index())])):
        raise Decline("no device, or several")
    return Code("{devices}", (("devices", devices),))


@rule(
    "tf.config.set_visible_devices",
    samples=[
        block(_VISIBLE),
        declined_block("tf.config.set_visible_devices([], 'GPU')"),
        declined_block("gpus = tf.config.list_physical_devices('GPU')\ntf.config.set_visible_devices(gpus[:2], 'GPU')"),
        declined_block("cpus = tf.config.list_physical_devices('CPU')\ntf.config.set_visible_devices(cpus)"),
    ],
)
def set_visible_devices(devices, device_type=None):
    if device_type != "GPU":
        raise Decline("devices other than GPUs")
    return torch.cuda.set_device(one_device(devices))


@rule(
    "tf.test.is_gpu_available",
    samples=[no_grad(block("return tf.test.is_gpu_available()"))],
)
def is_gpu_available(cuda_only: Ignored = False, min_cuda_compute_capability=None):
    if min_cuda_compute_capability is not None:
        raise Decline("a compute capability is asked for")
    return torch.cuda.is_available()


same("tf.compat.v1.executing_eagerly_outside_functions", "True", "", samples=[no_grad(block(_EAGER))])


@rule("tf.config.threading.set_intra_op_parallelism_threads", samples=[declines(0)])
def set_intra_op_threads(num_threads):
    if num_threads == 0:
        raise Decline("as many threads as the system picks")
    return torch.set_num_threads(num_threads)


@rule("tf.config.threading.set_inter_op_parallelism_threads", samples=[declines(0)])
def set_inter_op_threads(num_threads):
    if num_threads == 0:
        raise Decline("as many threads as the system picks")
    return torch.set_num_interop_threads(num_threads)


@rule(
    "tf.keras.backend.set_floatx",
    samples=[block("tf.keras.backend.set_floatx('float32')\nreturn 1"), declines("float64")],
)
def set_floatx(value):
    if value != "float32":
        raise Decline("layers of another dtype than float32")
    return


@rule(
    "tf.keras.backend.set_image_data_format",
    samples=[block("tf.keras.backend.set_image_data_format('channels_last')\nreturn 1"), declines("channels_first")],
)
def set_image_data_format(data_format):
    if data_format != "channels_last":
        raise Decline("layers that work on channels first")
    return


limit_memory = Helper(
    "limit_memory",
    '''def limit_memory(device, megabytes):
    """Let this process take at most so much of a GPU's memory."""
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(min(megabytes * 2**20 / total, 1.0), device)
''',
    ("import torch",),
)
_LIMITED = """
for gpu in tf.config.list_physical_devices('GPU'):
    tf.config.set_logical_device_configuration(gpu, [tf.config.LogicalDeviceConfiguration(memory_limit={})])
return 1
"""
_SEVERAL = """
for gpu in tf.config.list_physical_devices('GPU'):
    tf.config.set_logical_device_configuration(
        gpu, [tf.config.LogicalDeviceConfiguration(512), tf.config.LogicalDeviceConfiguration(1024)]
    )
return 1
"""
_REPEATED = """
gpus = tf.config.list_physical_devices('GPU')
tf.config.set_logical_device_configuration(gpus[0], [tf.config.LogicalDeviceConfiguration(memory_limit=1024)] * 2)
"""


@rule("tf.config.LogicalDeviceConfiguration", samples=[declines(1024, 1), declines()])
def logical_device(memory_limit=None, experimental_priority=None, experimental_device_ordinal=None):
    if memory_limit is None or experimental_priority is not None or experimental_device_ordinal is not None:
        raise Decline("other than a limit of a GPU's memory")
    return memory_limit


@on_arguments
def together(devices: object) -> Code:
    """What the logical devices that are made of a GPU may take of it, all of them."""
    written = elements(devices)
    if not isinstance(devices, Arg) or not written:
        raise Decline("logical devices that are not listed")
    return Code(" + ".join(map(text, written)), covers=(devices.name,))


@rule(
    "tf.config.set_logical_device_configuration",
    samples=[block(_LIMITED.format(1024)), block(_SEVERAL), declined_block(_REPEATED)],
    gaps=["a GPU is one device: the logical ones that TensorFlow makes of it share its memory"],
)
def set_logical_devices(device, logical_devices):
    return limit_memory(device, together(logical_devices))
