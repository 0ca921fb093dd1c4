"""The account that pays for anchors, opened as the settings say."""

from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.choose import open_signer
from mizheng.notary.config import Settings
from mizheng.notary.instance import PUBLISHER_FILE


def load_publisher(settings: Settings) -> Publisher:
    """The publisher; a key file is made if there is none. ConfigurationError if the key cannot be reached."""
    return Publisher(open_signer(settings.signer, settings.keys_dir / PUBLISHER_FILE, settings.signer_pin))
