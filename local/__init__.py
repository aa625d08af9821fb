"""Everything that is needed to run Tandem on one machine; nothing here is deployed."""
