"""Trains the image tower on drawn pictures: CosFace over products plus supervised contrastive loss within a batch.

A batch holds whole designs: every colourway of a design and every photograph of each, so that its nearest rivals are in it.
    python train.py FOLDER --out tower.npz
    python train.py FOLDER --out tower.npz --resume tower.npz --steps 200 --rate 1e-3
The learning rate rises for the first steps and falls to nothing at the last one, or when --minutes are over.
"""

import argparse
import time

import numpy as np
from pictures import Folder, cropped
from tower import DIMENSIONS, LOAD_PX, SIZE_PX, Tower, tf

MARGIN, SCALE, TEMPERATURE = 0.1, 16.0, 0.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--out", default="tower.npz")
    parser.add_argument("--steps", type=int, default=1100)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--resume", help="weights to go on from")
    parser.add_argument("--designs-a-batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Adam:
    """Adam with decoupled weight decay; `rates` and `decays` are one a variable."""

    def __init__(self, variables, rates, decays):
        self.variables, self.rates, self.decays = variables, rates, decays
        self.first = [tf.Variable(tf.zeros_like(v)) for v in variables]
        self.second = [tf.Variable(tf.zeros_like(v)) for v in variables]
        self.step = tf.Variable(0.0)

    def apply(self, gradients, schedule):
        self.step.assign_add(1.0)
        correct_first, correct_second = 1.0 - tf.pow(0.9, self.step), 1.0 - tf.pow(0.999, self.step)
        for v, g, m, s, rate, decay in zip(self.variables, gradients, self.first, self.second, self.rates, self.decays):
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.999 * s + 0.001 * g * g)
            update = (m / correct_first) / (tf.sqrt(s / correct_second) + 1e-8) + decay * v
            v.assign_sub(rate * schedule * update)


def losses(vectors, proxies, labels):
    """(CosFace, Wang et al. 2018; supervised contrastive, Khosla et al. 2020)"""
    logits = vectors @ tf.transpose(tf.math.l2_normalize(proxies, axis=1))
    targets = tf.one_hot(labels, proxies.shape[0])
    cosface = tf.nn.softmax_cross_entropy_with_logits(targets, SCALE * (logits - MARGIN * targets))
    alike = vectors @ tf.transpose(vectors) / TEMPERATURE - 1e4 * tf.eye(tf.shape(labels)[0])
    same = tf.cast(labels[:, None] == labels[None, :], tf.float32) - tf.eye(tf.shape(labels)[0])
    contrast = -tf.reduce_sum(tf.nn.log_softmax(alike, axis=1) * same, 1) / tf.maximum(tf.reduce_sum(same, 1), 1.0)
    return tf.reduce_mean(cosface), tf.reduce_mean(contrast)


class Batches:
    def __init__(self, folder, designs, draws):
        self.folder, self.designs_a_batch, self.draws = folder, designs, draws
        rows = np.flatnonzero(folder.train)
        self.classes, labels = np.unique(folder.product[rows], return_inverse=True)
        self.label = np.full(len(folder.rows), -1)
        self.label[rows] = labels
        self.of_design = [rows[folder.design[rows] == design] for design in np.unique(folder.design[rows])]
        self.waiting = []

    def next(self):
        chosen = []
        while len(chosen) < self.designs_a_batch:
            if not self.waiting:
                self.waiting = list(self.draws.permutation(len(self.of_design)))
            chosen.append(self.waiting.pop())
        rows = np.concatenate([self.of_design[design] for design in chosen])
        return self.varied(self.folder.pixels[rows]), self.label[rows].astype(np.int32)

    def varied(self, pixels):
        """Moved by a few pixels, mirrored, brightened and tinted a little: never so much that one colour becomes another."""
        out = np.empty((len(pixels), SIZE_PX, SIZE_PX, 3), np.float32)
        for i, picture in enumerate(pixels):
            y, x = self.draws.integers(0, LOAD_PX - SIZE_PX + 1, 2)
            picture = picture[y : y + SIZE_PX, x : x + SIZE_PX]
            out[i] = picture[:, ::-1] if self.draws.random() < 0.5 else picture
        gain = self.draws.uniform(0.85, 1.15, (len(pixels), 1, 1, 1)) * self.draws.uniform(0.94, 1.06, (len(pixels), 1, 1, 3))
        return np.clip(out / 255.0 * gain + self.draws.uniform(-0.04, 0.04, (len(pixels), 1, 1, 1)), 0.0, 1.0).astype(np.float32)


def embedded(tower, folder, rows):
    return np.concatenate([tower(cropped(folder.pixels[rows[i : i + 128]])).numpy() for i in range(0, len(rows), 128)])


def recall(tower, folder, rows):
    """Share of wild photographs whose own product is the nearest studio picture, and is among the ten nearest."""
    vectors = embedded(tower, folder, rows)
    studio, wild = np.flatnonzero(folder.studio[rows]), np.flatnonzero(~folder.studio[rows])
    nearest = np.argsort(-(vectors[wild] @ vectors[studio].T), axis=1)[:, :10]
    hit = folder.product[rows][studio][nearest] == folder.product[rows][wild][:, None]
    return hit[:, 0].mean(), hit.any(1).mean(), len(studio), len(wild)


def main():
    options = arguments()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    draws = np.random.default_rng(options.seed)
    folder = Folder(options.folder)
    batches = Batches(folder, options.designs_a_batch, draws)
    tower = Tower(options.seed)
    if options.resume:
        # A product's proxy is where its studio picture already lies; `classes` are in the order of the products.
        studio = np.flatnonzero(folder.train & folder.studio)
        tower.load(options.resume)
        proxies = tf.Variable(embedded(tower, folder, studio[np.argsort(folder.product[studio])]))
    else:
        proxies = tf.Variable(draws.normal(size=(len(batches.classes), DIMENSIONS)).astype(np.float32))
    variables = tower.weights() + [proxies]
    optimiser = Adam(variables, [options.rate] * (len(variables) - 1) + [10 * options.rate], [1e-2] * (len(variables) - 1) + [0.0])
    parameters = sum(int(np.prod(v.shape)) for v in tower.weights())
    print(f"{parameters} parameters, {len(batches.classes)} products, {folder.train.sum()} pictures to train on", flush=True)

    @tf.function
    def step(pictures, labels, schedule):
        with tf.GradientTape() as tape:
            cosface, contrast = losses(tower(pictures, training=True), proxies, labels)
            loss = 0.5 * cosface + contrast
        optimiser.apply(tape.gradient(loss, variables), schedule)
        return cosface, contrast

    began, cpu = time.time(), time.process_time()
    for number in range(options.steps):
        done = max(number / options.steps, (time.time() - began) / (60 * options.minutes))
        if done >= 1:
            break
        schedule = min(1.0, done / 0.04 + 0.02) * 0.5 * (1 + np.cos(np.pi * done)) + 1e-3
        pictures, labels = batches.next()
        cosface, contrast = step(tf.constant(pictures), tf.constant(labels), tf.constant(schedule, tf.float32))
        if number % 25 == 24:
            times = f"{time.time() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU"
            print(f"step {number + 1}: CosFace {float(cosface):.3f}, contrastive {float(contrast):.3f}, {times}", flush=True)
        if number % 100 == 99:
            tower.save(options.out)
    tower.save(options.out)
    print(f"trained in {time.time() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU", flush=True)
    one, ten, products, photographs = recall(tower, folder, np.flatnonzero(~folder.train))
    print(f"validation: recall@1 {one:.3f}, recall@10 {ten:.3f} over {products} products and {photographs} photographs")


if __name__ == "__main__":
    main()
