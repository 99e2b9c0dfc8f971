"""PyTorch's side of the benchmarks: reads `{"work": ..., "calls": n}` lines, answers each with milliseconds a call.

One thread, like ours. Run with the Python that has torch installed (Debian: python3-torch).
"""

import json
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)

# foreach: several times faster here than the default loop over parameters.
# A batch seen a thousand times is not to be learned by heart: gradients would become denormal numbers.
RATE = 1e-7


def matmul(m, k, n):
    a, b = torch.rand(m, k), torch.rand(k, n)
    return lambda: a @ b


def classifier(model, x, make):
    y = torch.arange(64) % 10
    optimizer = make(model.parameters())
    loss_of = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def mlp(make):
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
    return classifier(model, torch.randn(64, 784), make)


def cnn():
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    return classifier(model, torch.randn(64, 1, 28, 28), lambda p: torch.optim.Adam(p, lr=RATE, foreach=True))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) / (c // self.heads) ** 0.5 + mask
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, c)
        x = x + self.out(y)
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary, width, heads, layers, context):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, x):
        t = x.shape[1]
        mask = torch.full((t, t), float("-inf")).triu(1)
        h = self.tokens(x) + self.places(torch.arange(t))
        for block in self.blocks:
            h = block(h, mask)
        return self.head(self.norm(h))


def gpt():
    model = Gpt(65, 128, 4, 4, 128)
    x, y = torch.randint(65, (16, 128)), torch.randint(65, (16, 128))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(x).view(-1, 65), y.view(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


WORKS = {
    "mlp-step": lambda: mlp(lambda p: torch.optim.Adam(p, lr=RATE, foreach=True)),
    "mlp-step-sgd": lambda: mlp(lambda p: torch.optim.SGD(p, lr=RATE)),
    "cnn-step": cnn,
    "gpt-step": gpt,
}

runs = {}
print(torch.__version__, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    work = request["work"]
    if work not in runs:
        runs[work] = matmul(*request["sizes"]) if "sizes" in request else WORKS[work]()
    start = time.perf_counter()
    for _ in range(request["calls"]):
        runs[work]()
    print((time.perf_counter() - start) * 1000 / request["calls"], flush=True)
