"""What the kernel machine makes of tasks that are alike and of those that are not."""

from __future__ import annotations

import numpy as np

from models.training.blocks import TASK
from models.training.teacher import Teacher


def _said_of_a_strange_one(task_block: str) -> float:
    """Of a movement like none it was taught, in a task in which all was right."""
    rng = np.random.default_rng(3)
    task = np.repeat([[-1.0], [1.0]], 100, axis=0).astype(np.float32)
    labels = (task < 0.0).astype(np.float32)
    blocks = {"ratios": rng.standard_normal((200, 4)).astype(np.float32), task_block: task}
    teacher = Teacher.taught(blocks, labels)
    asked = {"ratios": np.full((1, 4), 9.0, np.float32), task_block: np.array([[-1.0]], np.float32)}
    return float(teacher.says(asked)[0, 0])


def test_of_a_strange_movement_it_says_what_is_usual_in_that_task_where_the_task_is_known() -> None:
    assert _said_of_a_strange_one("components") < 0.6, "alike in nothing: next to no answer"
    assert _said_of_a_strange_one(TASK) > 0.7


def test_an_answer_does_not_depend_on_how_many_are_asked_at_once() -> None:
    rng = np.random.default_rng(4)
    blocks = {"ratios": rng.standard_normal((60, 3)).astype(np.float32), TASK: rng.standard_normal((60, 2), np.float32)}
    teacher = Teacher.taught(blocks, rng.integers(0, 2, (60, 1)).astype(np.float32))
    many = {name: np.tile(block, (40, 1)) for name, block in blocks.items()}
    np.testing.assert_allclose(teacher.says(many)[:60], teacher.says(blocks), atol=1e-4)
