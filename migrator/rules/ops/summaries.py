"""`tf.summary`: torch's SummaryWriter."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator, attr-defined"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import context, method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, f32, known_gap, no_grad, unit
from migrator.rules.ops.pieces import given, plain

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_NO_STEP = "the step that was set for all summaries"


def _logged(text: str, **arrays: object) -> Sample:
    """Statements under a writer to `logs`; what the event file holds is compared."""
    inner = "".join(f"    {line}\n" for line in text.splitlines())
    body = f"writer = tf.summary.create_file_writer('logs')\nwith writer.as_default():\n{inner}writer.close()\nreturn 1"
    return no_grad(block(body, **arrays))  # type: ignore[arg-type]


@rule(
    "tf.summary.create_file_writer",
    samples=[
        no_grad(block("writer = tf.summary.create_file_writer('logs/a')\nwriter.flush()\nwriter.close()\nreturn 1")),
        no_grad(
            block(
                "writer = tf.summary.create_file_writer(logdir='logs', max_queue=3, flush_millis=2000)\n"
                "with writer.as_default():\n    tf.summary.scalar('a', 1.0, 0)\nwriter.close()\nreturn 1"
            )
        ),
    ],
)
def create_file_writer(
    logdir,
    max_queue=None,
    flush_millis=None,
    filename_suffix: Ignored = None,
    name=None,
    experimental_trackable: Ignored = False,
    experimental_mesh=None,
):
    if experimental_mesh is not None:
        raise Decline("a mesh is given")
    if given(max_queue) and given(flush_millis):
        return SummaryWriter(logdir, max_queue=max_queue, flush_secs=flush_millis / 1000)
    if given(flush_millis):
        return SummaryWriter(logdir, flush_secs=flush_millis / 1000)
    return SummaryWriter(logdir, max_queue=max_queue) if given(max_queue) else SummaryWriter(logdir)


@context("tf.summary.SummaryWriter.as_default", samples=[_logged("tf.summary.scalar('a', 1.0, 0)")])
def as_default(self: Ignored, step=None):
    if given(step) or not plain(self):
        raise Decline("a step for all summaries, or a writer without a name")
    return


@method("tf.summary.SummaryWriter.flush", samples=[_logged("writer.flush()")])
def flush(self):
    return self.flush()


@method("tf.summary.SummaryWriter.close", samples=[_logged("tf.summary.scalar('a', 2, step=0)")])
def close(self):
    return self.close()


@rule(
    "tf.summary.scalar",
    samples=[
        _logged("tf.summary.scalar('loss', tf.reduce_sum(x), step=3)\ntf.summary.scalar('b/c', 2, 4)", x=f32(3)),
        _logged("for i in range(3):\n    tf.summary.scalar(name='a', data=x[i], step=i)", x=f32(3)),
        no_grad(
            block(
                "a = tf.summary.create_file_writer('a')\nb = tf.summary.create_file_writer('b')\n"
                "with a.as_default():\n    tf.summary.scalar('x', 1.0, step=0)\n"
                "    with b.as_default():\n        tf.summary.scalar('y', 2.0, step=0)\n"
                "    tf.summary.scalar('z', 3.0, step=1)\na.close()\nb.close()\nreturn 1"
            )
        ),
        declined_block("tf.summary.scalar('a', 1.0, step=0)"),
        declined_block(
            "writer = tf.summary.create_file_writer('logs')\nwith writer.as_default():\n    tf.summary.scalar('a', 1.0)"
        ),
        declined_block(
            "writer = tf.summary.create_file_writer('logs')\nwith writer.as_default(), tf.name_scope('n'):\n"
            "    tf.summary.scalar('a', 1.0, step=0)"
        ),
    ],
)
def scalar(name, data, step=None, description: Ignored = None, *, writer):
    if not given(step):
        raise Decline(_NO_STEP)
    return writer.add_scalar(name, data, step)


@rule(
    "tf.summary.histogram",
    samples=[known_gap("torch's own bins", _logged("tf.summary.histogram('x', x, step=1)", x=f32(50)))],
    gaps=["the bins are torch's"],
)
def histogram(name, data, step=None, buckets: Ignored = None, description: Ignored = None, *, writer):
    if not given(step):
        raise Decline(_NO_STEP)
    return writer.add_histogram(name, data, step)


@rule(
    "tf.summary.image",
    samples=[
        known_gap("another form of event", _logged("tf.summary.image('x', x, step=1)", x=unit(2, 4, 5, 3))),
    ],
    gaps=["the images are shown as one grid"],
)
def image(name, data: Tensor, step=None, max_outputs=3, description: Ignored = None, *, writer):
    if not given(step):
        raise Decline(_NO_STEP)
    return writer.add_images(name, data[:max_outputs], step, dataformats="NHWC")


@rule(
    "tf.summary.text",
    samples=[known_gap("another tag", _logged("tf.summary.text('x', 'some words', step=1)"))],
    gaps=["torch puts /text_summary behind the tag"],
)
def text(name, data, step=None, description: Ignored = None, *, writer):
    if not given(step):
        raise Decline(_NO_STEP)
    return writer.add_text(name, data, step)


trace = Helper("trace", "trace = torch.profiler.profile()\n", ("import torch",))
save_trace = Helper(
    "save_trace",
    '''def save_trace(name, folder):
    """End the recording and write it to a file that Perfetto shows."""
    trace.stop()
    os.makedirs(folder, exist_ok=True)
    trace.export_chrome_trace(os.path.join(folder, f"{name}.json"))
''',
    ("import os",),
    (trace,),
)
_TRACED = """
tf.summary.trace_on({})
y = x * 2.0
writer = tf.summary.create_file_writer('logs')
with writer.as_default():
    tf.summary.trace_export('calls', 0{})
return y
"""


def _traced(on: str, export: str = "") -> Sample:
    return no_grad(block(_TRACED.format(on, export), x=f32(2)))


@rule(
    "tf.summary.trace_on",
    samples=[
        known_gap("no graph", _traced("graph=True")),
        declined_block("tf.summary.trace_on(profiler=True, profiler_outdir='logs')\nreturn x", x=f32(2)),
        declined_block("tf.summary.trace_on(profiler=str(x))\nreturn x", x=f32(2)),
    ],
    gaps=["graphs are not drawn"],
)
def trace_on(graph: Ignored = True, profiler=False, profiler_outdir=None):
    if given(profiler_outdir):
        raise Decline("a folder that is told before what is recorded has a name")
    return trace.start() if profiler else None


@rule(
    "tf.summary.trace_export",
    samples=[],
    gaps=["the profile is a Chrome trace"],
)
def trace_export(name: Ignored, step: Ignored = None, profiler_outdir=None):
    return save_trace(name, profiler_outdir) if given(profiler_outdir) else None
