"""Settings shared by the scripts."""

IMAGE_SIZE = 16
CHANNELS = 1
NUM_CLASSES = 10

BATCH_SIZE = 32
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-4
