"""The same network built with diffusers: UNet2DConditionModel with our numbers, loaded with our weights."""

from jaxtyping import Float
from torch import Tensor, nn

from inkwash.predictor.spec import UNetSpec
from inkwash.predictor.unet import UNet
from inkwash.types import Latents, TextStates


class Rival(nn.Module):
    """A diffusers network behind our protocol.

    The pooled prompt joins the step through diffusers' class embedding: the same two layers under another name.
    """

    def __init__(self, network: nn.Module, spec: UNetSpec) -> None:
        super().__init__()
        self.network, self.spec = network, spec

    def forward(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        """(b, c, h, w), (b,) and a prompt per picture -> (b, c, h, w)."""
        told: tuple[Tensor] = self.network(
            x, t, text.states, class_labels=text.pooled, encoder_attention_mask=text.keep, return_dict=False
        )
        return told[0]


def rival(ours: UNet) -> Rival:
    """The twin of `ours`; strict loading proves that not a parameter is missing or left over."""
    network = built(ours.spec)
    network.load_state_dict(
        {name.replace("add_embedding", "class_embedding"): value for name, value in ours.state_dict().items()}
    )
    return Rival(network, ours.spec)


def built(spec: UNetSpec) -> nn.Module:
    """Our table of stages in diffusers' words; its `attention_head_dim` is the number of heads."""
    from diffusers import UNet2DConditionModel

    looks = [bool(stage.depth) for stage in spec.stages]
    network: nn.Module = UNet2DConditionModel(
        in_channels=spec.channels_in,
        out_channels=spec.channels_out,
        block_out_channels=tuple(stage.channels for stage in spec.stages),
        layers_per_block=spec.blocks,
        down_block_types=tuple("CrossAttnDownBlock2D" if look else "DownBlock2D" for look in looks),
        up_block_types=tuple("CrossAttnUpBlock2D" if look else "UpBlock2D" for look in reversed(looks)),
        attention_head_dim=tuple(max(spec.heads_at(stage.channels), 1) for stage in spec.stages),
        cross_attention_dim=spec.text_width,
        use_linear_projection=spec.linear_projection,
        resnet_time_scale_shift="scale_shift" if spec.scale_shift else "default",
        class_embed_type="projection" if spec.pooled_width else None,
        projection_class_embeddings_input_dim=spec.pooled_width or None,
        dropout=spec.dropout,
    )
    return network
