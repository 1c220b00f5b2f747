"""Small torchvision networks with seeded random weights whose scores are spread as those of a trained one."""

import torch
from torch import nn

NETS = ("fasterrcnn", "maskrcnn", "keypointrcnn", "retinanet", "fcos", "ssd300", "ssdlite")
SIDES = {"min_size": 160, "max_size": 256}
FEW = {"box_detections_per_img": 12, "rpn_post_nms_top_n_test": 300}  # a mask or a skeleton costs as much as a picture
BARE = {"weights": None, "weights_backbone": None}


def detector(name: str, seed: int = 0) -> nn.Module:
    """A detector in evaluation mode; boxes above its own threshold are sure on any picture."""
    from torchvision.models import detection

    torch.manual_seed(seed)
    build = {
        "fasterrcnn": lambda: detection.fasterrcnn_mobilenet_v3_large_fpn(**BARE, **SIDES, num_classes=6),
        "maskrcnn": lambda: detection.maskrcnn_resnet50_fpn(**BARE, **SIDES, **FEW, num_classes=6),
        "keypointrcnn": lambda: detection.keypointrcnn_resnet50_fpn(**BARE, **SIDES, **FEW, num_classes=2),
        "retinanet": lambda: detection.retinanet_resnet50_fpn(**BARE, **SIDES, num_classes=6),
        "fcos": lambda: detection.fcos_resnet50_fpn(**BARE, **SIDES, num_classes=6),
        "ssd300": lambda: detection.ssd300_vgg16(**BARE, num_classes=6),
        "ssdlite": lambda: detection.ssdlite320_mobilenet_v3_large(**BARE, num_classes=6),
    }
    module = build[name]().eval().requires_grad_(False)
    settle(module)
    spread(module)
    return module


def picture(size: tuple[int, int], seed: int = 1) -> torch.Tensor:
    """Smooth blobs with some noise, (3, height, width), 0 to 1; real pictures are not white noise."""
    torch.manual_seed(seed)
    width, height = size
    coarse = torch.rand(1, 3, height // 12 + 2, width // 12 + 2)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return (0.8 * smooth + 0.2 * torch.rand(3, height, width)).clamp(0, 1)


def settle(module: nn.Module, side: int = 128) -> None:
    """Give batch normalisation the statistics of pictures: otherwise fifty random layers end in infinity."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in norms:
        part.momentum = 1.0
        part.train()
    pictures = [picture((200, 160), 7), picture((200, 160), 8)]
    with torch.no_grad():
        if hasattr(module, "transform"):
            features = module.backbone(module.transform(pictures)[0].tensors)
        else:
            features = module.backbone(torch.randn(2, 3, side, side))
        if hasattr(module, "head"):
            module.head(list(features.values()))
        elif hasattr(module, "classifier"):
            module.classifier(features.get("out", features))
    for part in norms:
        part.eval()


def spread(module: nn.Module) -> None:
    """Centre and scale the last layer of the classifier on pictures: logits of mean 0 and deviation 2.

    The mean is -5 where each class has a logistic function of its own, so that few boxes fire, and -1 for the
    background of two-stage detectors, so that some do.
    """
    if hasattr(module, "roi_heads"):
        parts = [module.roi_heads.box_predictor.cls_score]
    else:
        head = module.head.classification_head
        parts = [head.cls_logits] if hasattr(head, "cls_logits") else list(head.module_list)
    seen: dict[nn.Module, list[torch.Tensor]] = {part: [] for part in parts}
    hooks = [part.register_forward_hook(lambda part, _, out: seen[part].append(out)) for part in parts]
    with torch.no_grad():
        module([picture((200, 160), 7), picture((200, 160), 8)])
        for hook in hooks:
            hook.remove()
        for part in parts:
            outputs = torch.cat([out.transpose(0, 1).flatten(1) for out in seen[part]], 1)
            factor = 2 / outputs.std(1)
            last = [p for p in part.modules() if isinstance(p, (nn.Conv2d, nn.Linear))][-1]
            last.weight *= factor.reshape(-1, *[1] * (last.weight.ndim - 1))
            last.bias.copy_((last.bias - outputs.mean(1)) * factor)
            if len(parts) == 1 and isinstance(last, nn.Conv2d):
                last.bias -= 5
            elif len(parts) == 1:
                last.bias[0] -= 1
