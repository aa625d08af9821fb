from tests.property import profile

profile.load()
