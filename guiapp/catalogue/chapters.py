"""The chapters of the course, in its order."""

CHAPTERS: dict[str, str] = {
    "image-structure": "Image structure",
    "learning-basics": "Learning basics",
    "neurons": "Neurons",
    "training": "Training practice",
    "architectures": "Architectures",
    "seeing-inside": "Seeing inside",
    "detection": "Detection",
    "dense": "Dense prediction",
    "recognition": "Embedding and recognition",
    "generative": "Generative models",
    "pose": "Pose",
    "sequences": "Sequences and video",
    "few-shot": "Multi-task and few-shot",
}
