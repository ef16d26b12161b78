"""Published training loops that are right: the rules between tape and optimizer stay silent."""

from __future__ import annotations

import pytest

from tests.pages import lint

CODES = {"LK106", "LK107", "LK109", "LK115", "LK116", "LK119"}
IDIOMS = {
    "dcgan": """
import tensorflow as tf
from tensorflow.keras import layers

def make_generator_model():
    model = tf.keras.Sequential()
    model.add(layers.Dense(7 * 7 * 256, use_bias=False, input_shape=(100,)))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((7, 7, 256)))
    model.add(layers.Conv2DTranspose(1, (5, 5), use_bias=False, activation="tanh"))
    return model

def make_discriminator_model():
    model = tf.keras.Sequential()
    model.add(layers.Conv2D(64, (5, 5), input_shape=[28, 28, 1]))
    model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model

generator, discriminator = make_generator_model(), make_discriminator_model()
generator_optimizer = tf.keras.optimizers.Adam(1e-4)
discriminator_optimizer = tf.keras.optimizers.Adam(1e-4)

@tf.function
def train_step(images):
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        fake = generator(tf.random.normal([256, 100]), training=True)
        gen_loss = tf.reduce_mean(discriminator(fake, training=True))
        disc_loss = tf.reduce_mean(discriminator(images, training=True)) - gen_loss
    gradients_of_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    gradients_of_discriminator = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients_of_generator, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(
        zip(gradients_of_discriminator, discriminator.trainable_variables))

def train(dataset, epochs):
    for epoch in range(epochs):
        for batch in dataset:
            train_step(batch)
""",
    "wgan_gp": """
import tensorflow as tf
from tensorflow import keras

class WGAN(keras.Model):
    def __init__(self, discriminator, generator, discriminator_extra_steps=3, gp_weight=10.0):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.d_steps, self.gp_weight = discriminator_extra_steps, gp_weight

    def compile(self, d_optimizer, g_optimizer, d_loss_fn, g_loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.d_loss_fn, self.g_loss_fn = d_loss_fn, g_loss_fn

    def gradient_penalty(self, real, fake):
        x = real + tf.random.uniform([32, 1, 1, 1]) * (fake - real)
        with tf.GradientTape() as gp_tape:
            gp_tape.watch(x)
            prediction = self.discriminator(x, training=True)
        grads = gp_tape.gradient(prediction, [x])[0]
        norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=[1, 2, 3]))
        return tf.reduce_mean((norm - 1.0) ** 2)

    def train_step(self, real):
        for i in range(self.d_steps):
            with tf.GradientTape() as tape:
                fake = self.generator(tf.random.normal((32, 128)), training=True)
                d_cost = self.d_loss_fn(self.discriminator(real), self.discriminator(fake))
                d_loss = d_cost + self.gradient_penalty(real, fake) * self.gp_weight
            d_gradient = tape.gradient(d_loss, self.discriminator.trainable_variables)
            self.d_optimizer.apply_gradients(zip(d_gradient, self.discriminator.trainable_variables))
        with tf.GradientTape() as tape:
            g_loss = self.g_loss_fn(self.discriminator(self.generator(real)))
        gen_gradient = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gen_gradient, self.generator.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}

wgan = WGAN(keras.Sequential([keras.layers.Dense(1)]), keras.Sequential([keras.layers.Dense(9)]))
wgan.compile(keras.optimizers.Adam(), keras.optimizers.Adam(), loss_a, loss_b)
wgan.fit(images, epochs=2)
""",
    "ddpg": """
import tensorflow as tf
from tensorflow.keras import layers

def get_actor():
    inputs = layers.Input(shape=(3,))
    out = layers.Dense(256, activation="relu")(inputs)
    return tf.keras.Model(inputs, layers.Dense(1, activation="tanh")(out) * 2.0)

def get_critic():
    state, action = layers.Input(shape=(3,)), layers.Input(shape=(1,))
    out = layers.Concatenate()([layers.Dense(16)(state), layers.Dense(32)(action)])
    return tf.keras.Model([state, action], layers.Dense(1)(layers.Dense(256)(out)))

actor_model, critic_model = get_actor(), get_critic()
target_actor, target_critic = get_actor(), get_critic()
critic_optimizer, actor_optimizer = tf.keras.optimizers.Adam(2e-3), tf.keras.optimizers.Adam(1e-3)

@tf.function
def update(state, action, reward, next_state, gamma=0.99):
    with tf.GradientTape() as tape:
        y = reward + gamma * target_critic([next_state, target_actor(next_state)])
        critic_loss = tf.math.reduce_mean(tf.math.square(y - critic_model([state, action])))
    critic_grad = tape.gradient(critic_loss, critic_model.trainable_variables)
    critic_optimizer.apply_gradients(zip(critic_grad, critic_model.trainable_variables))
    with tf.GradientTape() as tape:
        actor_loss = -tf.math.reduce_mean(critic_model([state, actor_model(state)]))
    actor_grad = tape.gradient(actor_loss, actor_model.trainable_variables)
    actor_optimizer.apply_gradients(zip(actor_grad, actor_model.trainable_variables))

def update_target(target, original, tau):
    for a, b in zip(target.variables, original.variables):
        a.assign(b * tau + a * (1 - tau))
""",
    "a3c": """
import tensorflow as tf

class Worker:
    def __init__(self, global_model, opt):
        self.global_model, self.opt = global_model, opt
        self.local_model = ActorCritic(4, 2)

    def run(self, memory):
        for step in range(1000):
            with tf.GradientTape() as tape:
                total_loss = self.compute_loss(memory)
            grads = tape.gradient(total_loss, self.local_model.trainable_weights)
            self.opt.apply_gradients(zip(grads, self.global_model.trainable_weights))
            self.local_model.set_weights(self.global_model.get_weights())

    def compute_loss(self, memory):
        return tf.reduce_mean(self.local_model(memory))

class ActorCritic(tf.keras.Model):
    def __init__(self, states, actions):
        super().__init__()
        self.dense = tf.keras.layers.Dense(100, activation="relu")
        self.policy, self.value = tf.keras.layers.Dense(actions), tf.keras.layers.Dense(1)

    def call(self, x):
        return self.policy(self.dense(x))

Worker(ActorCritic(4, 2), tf.keras.optimizers.Adam()).run(None)
""",
    "sam": """
import tensorflow as tf

class SAM(tf.keras.Model):
    def __init__(self, resnet_model, rho=0.05):
        super().__init__()
        self.resnet_model, self.rho = resnet_model, rho

    def train_step(self, data):
        images, labels = data
        e_ws = []
        with tf.GradientTape() as tape:
            loss = self.compiled_loss(labels, self.resnet_model(images))
        trainable_params = self.resnet_model.trainable_variables
        gradients = tape.gradient(loss, trainable_params)
        grad_norm = tf.norm(tf.stack([tf.norm(g) for g in gradients if g is not None]))
        scale = self.rho / (grad_norm + 1e-12)
        for grad, param in zip(gradients, trainable_params):
            e_w = grad * scale
            param.assign_add(e_w)
            e_ws.append(e_w)
        with tf.GradientTape() as tape:
            loss = self.compiled_loss(labels, self.resnet_model(images))
        sam_gradients = tape.gradient(loss, trainable_params)
        for param, e_w in zip(trainable_params, e_ws):
            param.assign_sub(e_w)
        self.optimizer.apply_gradients(zip(sam_gradients, trainable_params))
        return {m.name: m.result() for m in self.metrics}
""",
    "accumulating_train_step": """
import tensorflow as tf

class Accumulating(tf.keras.Model):
    def __init__(self, n_gradients, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.n_gradients = tf.constant(n_gradients, dtype=tf.int32)
        self.n_acum_step = tf.Variable(0, dtype=tf.int32, trainable=False)
        self.gradient_accumulation = [
            tf.Variable(tf.zeros_like(v), trainable=False) for v in self.trainable_variables]

    def train_step(self, data):
        self.n_acum_step.assign_add(1)
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compiled_loss(y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        for i in range(len(self.gradient_accumulation)):
            self.gradient_accumulation[i].assign_add(gradients[i])
        tf.cond(tf.equal(self.n_acum_step, self.n_gradients), self.apply_accu, lambda: None)
        return {m.name: m.result() for m in self.metrics}

    def apply_accu(self):
        self.optimizer.apply_gradients(zip(self.gradient_accumulation, self.trainable_variables))
        self.n_acum_step.assign(0)
        for i in range(len(self.gradient_accumulation)):
            self.gradient_accumulation[i].assign(tf.zeros_like(self.trainable_variables[i]))
""",
    "maml": """
import tensorflow as tf

def copy_model(model, x):
    copied = tf.keras.models.clone_model(model)
    copied(x)
    copied.set_weights(model.get_weights())
    return copied

def train_maml(model, tasks, lr_inner=0.01):
    optimizer = tf.keras.optimizers.Adam()
    for i, (x, y) in enumerate(tasks):
        with tf.GradientTape() as test_tape:
            with tf.GradientTape() as train_tape:
                train_loss = tf.reduce_mean((model(x) - y) ** 2)
            gradients = train_tape.gradient(train_loss, model.trainable_variables)
            k = 0
            model_copy = copy_model(model, x)
            for j in range(len(model_copy.layers)):
                model_copy.layers[j].kernel = tf.subtract(
                    model.layers[j].kernel, tf.multiply(lr_inner, gradients[k]))
                model_copy.layers[j].bias = tf.subtract(
                    model.layers[j].bias, tf.multiply(lr_inner, gradients[k + 1]))
                k += 2
            test_loss = tf.reduce_mean((model_copy(x) - y) ** 2)
        gradients = test_tape.gradient(test_loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
""",
    "strategy": """
import tensorflow as tf

strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    model = tf.keras.Sequential([tf.keras.layers.Dense(10)])
    optimizer = tf.keras.optimizers.Adam()
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()

def train_step(inputs):
    images, labels = inputs
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = tf.nn.compute_average_loss(tf.square(labels - predictions), global_batch_size=64)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    accuracy.update_state(labels, predictions)
    return loss

@tf.function
def distributed_train_step(dataset_inputs):
    per_replica_losses = strategy.run(train_step, args=(dataset_inputs,))
    return strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica_losses, axis=None)

for epoch in range(10):
    for x in dataset:
        distributed_train_step(x)
    accuracy.reset_states()
""",
    "several_optimizers": """
import tensorflow as tf

base = tf.keras.applications.ResNet50(include_top=False)
head = tf.keras.Sequential([tf.keras.layers.Dense(64), tf.keras.layers.Dense(10)])
optimizers = [tf.keras.optimizers.SGD(1e-4), tf.keras.optimizers.Adam(1e-3)]
parts = [base.trainable_variables, head.trainable_variables]

@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(head(base(x)) - y))
    variables = base.trainable_variables + head.trainable_variables
    gradients = tape.gradient(loss, variables)
    gradients, norm = tf.clip_by_global_norm(gradients, 1.0)
    n = len(base.trainable_variables)
    optimizers[0].apply_gradients(zip(gradients[:n], base.trainable_variables))
    optimizers[1].apply_gradients(zip(gradients[n:], head.trainable_variables))
    return loss, norm
""",
    "vae_and_pinn": """
import tensorflow as tf
from tensorflow import keras

class VAE(keras.Model):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.total_loss_tracker = keras.metrics.Mean(name="total_loss")

    def train_step(self, data):
        with tf.GradientTape() as tape:
            z_mean, z_log_var, z = self.encoder(data)
            total_loss = tf.reduce_mean(tf.square(self.decoder(z) - data))
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        self.total_loss_tracker.update_state(total_loss)
        return {"loss": self.total_loss_tracker.result()}

class PhysicsInformed:
    def __init__(self, layers, optimizer):
        self.model = keras.Sequential([keras.layers.Dense(n, activation="tanh") for n in layers])
        self.optimizer = optimizer

    def residual(self, t, x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([t, x])
            u = self.model(tf.stack([t[:, 0], x[:, 0]], axis=1))
            u_x = tape.gradient(u, x)
        u_xx = tape.gradient(u_x, x)
        return tape.gradient(u, t) + u * u_x - 0.01 * u_xx

    @tf.function
    def grad(self, t, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.residual(t, x)))
        return loss, tape.gradient(loss, self.model.trainable_variables)

    def fit(self, t, x, epochs):
        for epoch in range(epochs):
            loss, grads = self.grad(t, x)
            self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables))
            if epoch % 100 == 0:
                print(epoch, float(loss))

PhysicsInformed([20, 20, 1], tf.keras.optimizers.Adam()).fit(t, x, 1000)
""",
}


@pytest.mark.parametrize("name", IDIOMS)
def test_nothing_is_found(name: str) -> None:
    assert [found for found in lint(IDIOMS[name], "python") if found[2] in CODES] == []
