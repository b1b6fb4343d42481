"""Functions that make pipelines: `x` is (10, 2) of float32, `y` the numbers 0 to 9."""

from __future__ import annotations

SLICES = "tf.data.Dataset.from_tensor_slices"
RANGE = "tf.data.Dataset.range"
RAGGED = f"{RANGE}(1, 8).map(lambda i: tf.range(i % 5 + 1) * i)"

PIPELINES = {
    "range": f"return {RANGE}(2, 11).batch(4)",
    "range_map": f"return {RANGE}(9).map(lambda i: i * 2).batch(4, drop_remainder=True)",
    "zip": f"a = {SLICES}(x)\nb = {RANGE}(10)\nreturn tf.data.Dataset.zip((a, b)).batch(4)",
    "zip of unequal lengths": f"a = {SLICES}(x)\nb = {RANGE}(7)\nreturn tf.data.Dataset.zip((a, b)).batch(4)",
    "zip of calls": f"return tf.data.Dataset.zip({SLICES}(x), {RANGE}(3, 9)).batch(4)",
    "nested zip": f"a, b, c = {SLICES}(x), {RANGE}(7), {SLICES}(y)\nreturn tf.data.Dataset.zip(((a, b), c)).batch(3)",
    "zip of streams": f"a = {SLICES}(x).repeat()\nb = {RANGE}(13)\nreturn tf.data.Dataset.zip((a, b)).batch(4)",
    "zip of loaders": f"return tf.data.Dataset.zip(({SLICES}(x).batch(2), {RANGE}(9).batch(4)))",
    "from_tensors": "return tf.data.Dataset.from_tensors((x, y)).batch(1)",
    "filter": f"return {SLICES}((x, y)).filter(lambda a, b: b % 3 == 0).batch(3)",
    "filter of batches": f"return {SLICES}((x, y)).batch(3).filter(lambda a, b: b[0] > 2)",
    "enumerate": f"return {SLICES}(x).enumerate(start=5).batch(4)",
    "enumerate batches": f"return {SLICES}(x).batch(4).enumerate()",
    "concatenate": f"other = {SLICES}(x).take(3)\nreturn {SLICES}(x).concatenate(other).batch(4)",
    "concatenate batches": f"return {RANGE}(3).batch(2).concatenate({RANGE}(5).batch(2))",
    "map_batches": f"return {SLICES}((x, y)).batch(4).map(lambda a, b: (a * 2.0, b))",
    "repeat before batches": f"return {SLICES}((x, y)).repeat(3).batch(4)",
    "repeat batches": f"return {SLICES}((x, y)).batch(4).repeat(2)",
    "repeat by name": f"count = 2\nreturn {SLICES}(x).repeat(count).batch(4)",
    "repeat without end": f"return {SLICES}(y).repeat().batch(7).take(5)",
    "repeat -1": f"return {SLICES}(y).repeat(-1).batch(7).take(5)",
    "take and skip batches": f"ds = {SLICES}((x, y)).batch(2)\nreturn ds.skip(1).take(3)",
    "take everything": f"return {SLICES}((x, y)).take(-1).batch(3)",
    "skip everything": f"return {SLICES}((x, y)).concatenate({SLICES}((x, y)).skip(-1)).batch(3)",
    "take from a stream": f"return {SLICES}((x, y)).repeat(2).skip(3).take(9).batch(4)",
    "shard": f"return {SLICES}((x, y)).shard(3, 1).batch(2)",
    "shard of batches": f"return {SLICES}((x, y)).batch(2).shard(num_shards=2, index=1)",
    "cache": f"return {SLICES}((x, y)).map(lambda a, b: (a + 1.0, b)).cache().batch(4)",
    "cache of a stream": f"ds = {SLICES}(y).repeat(2).cache()\nreturn ds.repeat(2).batch(4)",
    "dict": f"return {SLICES}({{'a': x, 'b': y}}).batch(4)",
    "dict and labels": f"return {SLICES}(({{'a': x, 'b': y}}, y)).batch(4)",
    "dict mapped": f"return {SLICES}(({{'a': x}}, y)).map(lambda d, t: (d['a'] * 2.0, t)).batch(4)",
    "text": f"names = ['a', 'bc', '', 'd']\nreturn {SLICES}(names).batch(3)",
    "text and labels": f"names = ['a', 'bc', 'é']\nreturn {SLICES}((names, [1, 2, 3])).batch(2)",
    "lists": f"return {SLICES}(([1, 2, 3], [0.5, 1.5, 2.5])).batch(2)",
    "windows": f"return {RANGE}(10).window(3, shift=1).flat_map(lambda w: w.batch(3))",
    "whole windows": f"return {RANGE}(10).window(4, 1, drop_remainder=True).flat_map(lambda w: w.batch(4)).batch(3)",
    "wide windows": f"return {RANGE}(20).window(3, 5).flat_map(lambda w: w.batch(3))",
    "windows with a stride": f"return {RANGE}(13).window(3, shift=2, stride=2).flat_map(lambda w: w.batch(3))",
    "windows of pairs": (
        f"ds = {SLICES}((x, y)).window(4, shift=2, drop_remainder=True)\n"
        "return ds.flat_map(lambda a, b: tf.data.Dataset.zip((a.batch(4), b.batch(4)))).batch(2)"
    ),
    "windows split": (
        f"ds = {RANGE}(10).window(5, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(5))\n"
        "return ds.map(lambda w: (w[:-1], w[-1:])).batch(2).prefetch(1)"
    ),
    "flat_map": f"return {RANGE}(1, 5).flat_map(lambda i: tf.data.Dataset.range(i)).batch(4)",
    "interleave": f"return {RANGE}(7).interleave(lambda i: {RANGE}(i * 10, i * 10 + (i * 3) % 5), cycle_length=3)",
    "interleave blocks": (
        f"return {RANGE}(9).interleave(lambda i: {RANGE}(i * 10, i * 10 + (i * 7) % 5), cycle_length=2, block_length=3)"
    ),
    "interleave fully": f"return {RANGE}(4).interleave(lambda i: {RANGE}(i * 10, i * 10 + i), 9, 2).batch(5)",
    "interleave by cores": f"return {RANGE}(6).interleave(lambda i: {RANGE}(i, 9)).batch(5)",
    "unbatch": f"return {SLICES}((x, y)).batch(4).unbatch().batch(3)",
    "unbatch dicts": f"return {SLICES}({{'a': x, 'b': y}}).batch(4).unbatch().batch(3)",
    "padded": f"return {RAGGED}.padded_batch(3)",
    "padded to a size": f"return {RAGGED}.padded_batch(3, padded_shapes=[6], padding_values=tf.constant(-1, tf.int64))",
    "padded pairs": (
        f"ds = {RAGGED}.map(lambda v: (v, tf.reduce_sum(v)))\n"
        "return ds.padded_batch(2, padded_shapes=([None], []), drop_remainder=True)"
    ),
    "padded dicts": f"return {RAGGED}.map(lambda v: {{'v': v, 'n': v[0]}}).padded_batch(3)",
    "take_while": f"return {RANGE}(9).take_while(lambda i: i < 5).batch(2)",
    "scan": f"return {RANGE}(6).scan(np.int64(10), lambda s, v: (s + v, s * v)).batch(4)",
    "grouped": f"return {RANGE}(11).group_by_window(lambda v: v % 3, lambda k, d: d.batch(2), window_size=2)",
    "bucketed": f"return {RAGGED}.bucket_by_sequence_length(lambda v: tf.size(v), [3, 5], [2, 2, 1])",
    "chosen": (
        f"return tf.data.Dataset.choose_from_datasets([{RANGE}(3), {RANGE}(10, 14)], {RANGE}(2).repeat(4)).batch(3)"
    ),
    "chosen until all end": (
        f"a, b = {RANGE}(1), {RANGE}(10, 14)\n"
        f"return tf.data.Dataset.choose_from_datasets([a, b], {RANGE}(2).repeat(4), stop_on_empty_dataset=False)"
    ),
    "counter": "return tf.data.experimental.Counter(3, step=2).take(5).batch(2)",
    "options": "options = tf.data.Options()\noptions.threading.private_threadpool_size = 2\n"
    f"return {SLICES}(x).with_options(options).batch(4)",
    "map_and_batch": f"return {SLICES}(y).apply(tf.data.experimental.map_and_batch(lambda v: v + 1, 4))",
    "map_and_batch by name": (
        f"return {SLICES}(y).apply(tf.data.experimental.map_and_batch(map_func=lambda v: v + 1, batch_size=4, "
        "num_parallel_batches=2, drop_remainder=True))"
    ),
    "parallel_interleave": (
        f"return {RANGE}(6).apply(tf.data.experimental.parallel_interleave(lambda i: {RANGE}(i), cycle_length=4))"
    ),
    "generator": (
        "def samples():\n    for i in range(7):\n        yield [i, i + 0.5], i\n"
        "signature = (tf.TensorSpec(shape=(2,), dtype=tf.float32), tf.TensorSpec((), tf.int32))\n"
        "return tf.data.Dataset.from_generator(samples, output_signature=signature).batch(3)"
    ),
    "generator of types": (
        "def samples():\n    for i in range(5):\n        yield np.arange(3) * i\n"
        "return tf.data.Dataset.from_generator(samples, tf.float64, output_shapes=tf.TensorShape([3])).batch(2)"
    ),
    "generator with arguments": (
        "def samples(n, scale):\n    for i in range(n):\n        yield i * scale\n"
        "return tf.data.Dataset.from_generator(samples, output_types=tf.float32, args=(5, 1.5)).repeat(2).batch(4)"
    ),
    "generator of dicts": (
        "def samples():\n    for i in range(5):\n        yield {'a': [i], 'text': 'n%d' % i}\n"
        "signature = {'a': tf.TensorSpec((1,), tf.int64), 'text': tf.TensorSpec((), tf.string)}\n"
        "return tf.data.Dataset.from_generator(samples, output_signature=signature).batch(2)"
    ),
    "generator of open length": (
        "def samples():\n    for i in range(1, 6):\n        yield list(range(i))\n"
        "ds = tf.data.Dataset.from_generator(lambda: samples(), output_signature=tf.TensorSpec([None], tf.int32))\n"
        "ds = ds.map(lambda v: (v[:-1], v[1:]))\n"
        "return ds.padded_batch(2, padded_shapes=([None], [None]), padding_values=(0, -1))"
    ),
    "lines": (
        "with open('a.txt', 'wb') as file:\n    file.write(b'one\\r\\ntwo\\n\\nthree')\n"
        "return tf.data.TextLineDataset('a.txt').skip(1).batch(2)"
    ),
    "lines of files": (
        "for name in ('a', 'b', 'c'):\n    with open(name, 'w') as file:\n        file.write(f'{name}1\\n{name}2\\n')\n"
        "ds = tf.data.TextLineDataset(['a', 'b', 'c'])\n"
        "return ds.filter(lambda line: line != b'b1').batch(4)"
    ),
    "records": (
        "with tf.io.TFRecordWriter('r') as writer:\n    for i in range(5):\n        writer.write(b'r%d' % i)\n"
        "return tf.data.TFRecordDataset('r').batch(2)"
    ),
    "records of files at once": (
        "for name in ('r0', 'r1', 'r2'):\n    with tf.io.TFRecordWriter(name) as writer:\n"
        "        for i in range(3):\n            writer.write(b'%d of ' % i + name.encode())\n"
        "return tf.data.TFRecordDataset(['r0', 'r1', 'r2'], num_parallel_reads=2).batch(4)"
    ),
    "records parsed": (
        "with tf.io.TFRecordWriter('r') as writer:\n    for i in range(5):\n"
        "        feature = {'label': tf.train.Feature(int64_list=tf.train.Int64List(value=[i])),\n"
        "                   'box': tf.train.Feature(float_list=tf.train.FloatList(value=[i, i + 0.5]))}\n"
        "        example = tf.train.Example(features=tf.train.Features(feature=feature))\n"
        "        writer.write(example.SerializeToString())\n"
        "def parse(record):\n"
        "    features = {'label': tf.io.FixedLenFeature([], tf.int64), 'box': tf.io.FixedLenFeature([2], tf.float32)}\n"
        "    parsed = tf.io.parse_single_example(record, features)\n"
        "    return parsed['box'], parsed['label']\n"
        "return tf.data.TFRecordDataset('r').map(parse).batch(2)"
    ),
}
"""By name: the statements of a function, whose batches are compared in order."""

SHUFFLED = {
    "rows": f"return {SLICES}((x, y)).shuffle(100).batch(10)",
    "a stream": f"return {SLICES}((x, y)).repeat(1).shuffle(4).batch(10)",
    "once": f"return {SLICES}((x, y)).shuffle(10, reshuffle_each_iteration=False).batch(10)",
    "then taken": f"return {SLICES}((x, y)).shuffle(10).take(10).batch(10)",
    "then repeated": f"return {SLICES}(y).shuffle(10).repeat(2).batch(20)",
    "then cached": f"return {SLICES}((x, y)).shuffle(10).cache().batch(10)",
    "batches": f"return {SLICES}(y).batch(1).shuffle(20).unbatch().batch(10)",
    "and numbered": f"return {SLICES}(y).shuffle(10).enumerate().batch(10)",
    "shuffle_and_repeat": f"return {SLICES}(y).apply(tf.data.experimental.shuffle_and_repeat(9, 2)).batch(20)",
}
"""Pipelines of one batch, whose rows are compared in any order."""
