"""Outlook, through Microsoft Graph v1.0: one mailbox, and the directory of people. Nothing here knows Salesforce or decides anything."""

from sync.connectors.graph.client import GraphClient
from sync.connectors.graph.contact_folders import Home
from sync.connectors.graph.contact_reader import ContactReader
from sync.connectors.graph.contacts import Contacts
from sync.connectors.graph.directory import GraphDirectory
from sync.connectors.graph.folder import begin_again
from sync.connectors.graph.login import GraphLogin
from sync.connectors.graph.mailbox import GraphMailbox
from sync.translate.kind import Kind

__all__ = ["GraphClient", "GraphDirectory", "GraphLogin", "GraphMailbox", "Home", "begin_again", "open_mailbox"]


def open_mailbox(client: GraphClient, contact: Kind, home: Home, *, page_size: int = 200) -> GraphMailbox:
    """A mailbox with its contacts. `home.folder` may name the folder that the kept cursor knows (`state["home"]`)."""
    return GraphMailbox(
        client=client,
        user=home.user,
        readers={contact.name: ContactReader(contact, home, client.relative, page_size)},
        items={contact.name: Contacts(client, contact, home)},
    )
