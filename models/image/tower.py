"""The image tower: a small residual network from a 64 x 64 picture to a unit vector, and its parts that training and export share."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

DIMENSIONS = 128
SIZE_PX = 64  # what the network sees: the middle of ...
LOAD_PX = 72  # ... the picture resized to this
WIDTH = 20
# (channels in, channels out, stride) of each residual block
BLOCKS = [(WIDTH, WIDTH, 1), (WIDTH, 2 * WIDTH, 2), (2 * WIDTH, 4 * WIDTH, 2), (4 * WIDTH, 4 * WIDTH, 1), (4 * WIDTH, 8 * WIDTH, 2)]
MEAN, DEVIATION = 0.5, 0.25
EPSILON = 1e-5


class ConvNorm:
    """A convolution without bias and the batch normalisation after it."""

    def __init__(self, name, kernel, channels_in, channels_out, stride, draws):
        self.name, self.kernel, self.stride = name, kernel, stride
        deviation = np.sqrt(2.0 / (kernel * kernel * channels_in))
        shape = (kernel, kernel, channels_in, channels_out)
        self.weight = tf.Variable(draws.normal(0.0, deviation, shape).astype(np.float32), name=f"{name}.weight")
        self.gain = tf.Variable(tf.ones(channels_out), name=f"{name}.gain")
        self.bias = tf.Variable(tf.zeros(channels_out), name=f"{name}.bias")
        self.mean = tf.Variable(tf.zeros(channels_out), trainable=False, name=f"{name}.mean")
        self.variance = tf.Variable(tf.ones(channels_out), trainable=False, name=f"{name}.variance")

    def __call__(self, x, training):
        # Padded by hand: the same border on all sides whatever the stride, as ONNX pads.
        border = self.kernel // 2
        if border:
            x = tf.pad(x, [[0, 0], [border, border], [border, border], [0, 0]])
        x = tf.nn.conv2d(x, self.weight, self.stride, "VALID")
        if not training:
            return tf.nn.batch_normalization(x, self.mean, self.variance, self.bias, self.gain, EPSILON)
        x, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, self.gain, self.bias, epsilon=EPSILON, is_training=True)
        self.mean.assign(0.95 * self.mean + 0.05 * mean)
        self.variance.assign(0.95 * self.variance + 0.05 * variance)
        return x

    def folded(self):
        """The convolution with the normalisation inside: weights as ONNX lays them out (out, in, height, width), and bias."""
        scale = self.gain.numpy() / np.sqrt(self.variance.numpy() + EPSILON)
        return (self.weight.numpy() * scale).transpose(3, 2, 0, 1), self.bias.numpy() - self.mean.numpy() * scale


class Tower:
    def __init__(self, seed=0):
        draws = np.random.default_rng(seed)
        self.stem = ConvNorm("stem", 3, 3, WIDTH, 2, draws)
        self.blocks = []
        for i, (a, b, stride) in enumerate(BLOCKS):
            skip = ConvNorm(f"block{i}.skip", 1, a, b, stride, draws) if (a, stride) != (b, 1) else None
            first = ConvNorm(f"block{i}.first", 3, a, b, stride, draws)
            self.blocks.append((first, ConvNorm(f"block{i}.second", 3, b, b, 1, draws), skip))
        features = 2 * BLOCKS[-1][1]
        self.head = tf.Variable(draws.normal(0, features**-0.5, (features, DIMENSIONS)).astype(np.float32), name="head.weight")
        self.head_bias = tf.Variable(tf.zeros(DIMENSIONS), name="head.bias")

    def layers(self):
        return [self.stem] + [layer for block in self.blocks for layer in block if layer is not None]

    def weights(self):
        return [w for layer in self.layers() for w in (layer.weight, layer.gain, layer.bias)] + [self.head, self.head_bias]

    def __call__(self, pictures, training=False):
        """pictures: float32 (batch, height, width, 3) in 0..1. Returns unit vectors (batch, DIMENSIONS)."""
        x = tf.nn.relu(self.stem((pictures - MEAN) / DEVIATION, training))
        for first, second, skip in self.blocks:
            through = second(tf.nn.relu(first(x, training)), training)
            x = tf.nn.relu(through + (skip(x, training) if skip is not None else x))
        pooled = tf.concat([tf.reduce_mean(x, (1, 2)), tf.reduce_max(x, (1, 2))], 1)
        return tf.math.l2_normalize(pooled @ self.head + self.head_bias, axis=1, epsilon=1e-12)

    def state(self):
        return self.weights() + [v for layer in self.layers() for v in (layer.mean, layer.variance)]

    def save(self, path):
        np.savez(path, **{v.name.split(":")[0]: v.numpy() for v in self.state()})

    def load(self, path):
        stored = np.load(path)
        for v in self.state():
            v.assign(stored[v.name.split(":")[0]])
        return self
