"""Before a record is created it is looked for (C7): by e-mail, then by name, never by a guess; and two mailboxes make one record."""

from tests.scenarios.stage import (
    DEFAULT_FOLDER,
    FOLDER,
    account,
    address,
    agrees,
    decide,
    disagreements,
    error_rows,
    has_item,
    in_outlook,
    in_salesforce,
    linked,
    links,
    names_in,
    questions,
    record,
    set_profile,
    state_rows,
    stays_quiet,
    the_error,
    the_item,
)
from tests.tenant import Somebody, Tenant


async def opted_out_record(tenant: Tenant, who: Somebody, last_name: str, **fields: str) -> str:
    """A record of somebody whom this person's search does not show, but whom this person may see."""
    boss = next((one for one in tenant.people if one.upn.startswith("boss")), None) or tenant.person("boss", in_group=False)
    home = account(tenant, boss, "Home of strangers")
    made = in_salesforce(boss, last_name, AccountId=home, **fields)
    tenant.salesforce.share(made, who.username, "edit")
    return made


async def test_a_new_contact_is_linked_to_the_record_with_its_e_mail_address(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = await opted_out_record(tenant, ada, "Adams", Email="mary@example.com", Title="Boss")
    item = in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("MARY@example.com"), mobilePhone="7")
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: item}
    assert (record(tenant, one)["FirstName"], record(tenant, one)["MobilePhone"]) == ("Mary", "7"), "empty takes filled"
    assert ada.outlook.contact(item)["jobTitle"] == "Boss"
    assert len(tenant.contacts()) == 1
    await stays_quiet(tenant)


async def test_a_second_address_of_outlook_matches_as_well(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = await opted_out_record(tenant, ada, "Adams", Email="mary@example.com")
    item = in_outlook(ada, "Adams", emailAddresses=address("private@example.com mary@example.com"))
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: item}
    assert len(tenant.contacts()) == 1


async def test_a_new_contact_without_address_is_linked_by_first_and_last_name(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = await opted_out_record(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    item = in_outlook(ada, "adams", givenName="MARY")
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: item}
    assert len(tenant.contacts()) == 1


async def test_a_last_name_alone_is_no_match(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await opted_out_record(tenant, ada, "Adams")
    in_outlook(ada, "Adams")
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 2
    await agrees(tenant, ada)


async def test_a_namesake_with_another_address_is_for_a_person_to_decide(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = await opted_out_record(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    item = in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("other@example.com"))
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 1
    (question,) = await questions(tenant, ada)
    assert (question["Question"], question["Candidates"], question["OutlookId"]) == ("match", one, item)
    assert question["Outlook_email"] == "other@example.com"
    error = await the_error(tenant, ada)
    assert (error["Code"], error["FixableBy"]) == ("SeveralCandidates", "the user")
    await stays_quiet(tenant)
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 2
    assert await error_rows(tenant, ada) == []
    (decided,) = await questions(tenant, ada, "decided")
    assert decided["Winner"] == "create"
    await stays_quiet(tenant)


async def test_several_records_with_the_address_wait_for_a_choice_and_the_chosen_one_is_linked(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    first = await opted_out_record(tenant, ada, "Adams", Email="office@example.com")
    second = await opted_out_record(tenant, ada, "Brown", Email="office@example.com")
    item = in_outlook(ada, "Clark", emailAddresses=address("office@example.com"))
    other = in_outlook(ada, "Davis")
    await tenant.later(minutes=5)
    assert list(links(tenant, ada).values()) == [other], "the rest goes on"
    (question,) = await questions(tenant, ada)
    assert set(question["Candidates"].split(",")) == {first, second}
    await decide(tenant, ada, second)
    await tenant.later(minutes=5)
    assert links(tenant, ada)[second] == item
    assert links(tenant, ada, "reserved") == {}
    assert await error_rows(tenant, ada) == []
    assert len(tenant.contacts()) == 3
    await stays_quiet(tenant)


async def test_candidates_of_an_open_question_are_not_brought_to_outlook_meanwhile(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    in_outlook(ada, "Clark", emailAddresses=address("office@example.com"))
    first = in_salesforce(ada, "Adams", Email="office@example.com")
    second = in_salesforce(ada, "Brown", Email="office@example.com")
    await tenant.round()
    assert names_in(ada) == ["Clark"]
    assert sorted(links(tenant, ada, "reserved")) == sorted([first, second])
    await tenant.later(hours=25)
    assert names_in(ada) == ["Clark"]
    await decide(tenant, ada, first)
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert len(ada.items()) == 2
    assert "Brown" in names_in(ada), "the candidate that was not meant is free again"
    await agrees(tenant, ada)


async def test_a_decision_that_means_nothing_is_refused_in_the_error_row(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await opted_out_record(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("other@example.com"))
    await tenant.later(minutes=5)
    await decide(tenant, ada, "yes please")
    await tenant.later(minutes=5)
    error = await the_error(tenant, ada)
    assert error["Field"] == "Decision"
    assert "create" in error["Text"]
    assert len(tenant.contacts()) == 1
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 2
    assert await error_rows(tenant, ada) == []


async def test_an_id_that_is_no_candidate_is_no_answer(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await opted_out_record(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    stranger = await opted_out_record(tenant, ada, "Stranger")
    in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("other@example.com"))
    await tenant.later(minutes=5)
    await decide(tenant, ada, stranger)
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {}
    assert len(await questions(tenant, ada)) == 1
    assert len(tenant.contacts()) == 2


async def test_a_question_is_moot_when_the_item_is_deleted(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    await opted_out_record(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    item = in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("other@example.com"))
    await tenant.later(minutes=5)
    ada.outlook.delete_contact(item)
    await tenant.later(minutes=5)
    assert (await questions(tenant, ada), await error_rows(tenant, ada)) == ([], [])
    assert state_rows(tenant, ada, "link|") == []
    await stays_quiet(tenant)


async def test_a_question_answers_itself_when_the_person_corrects_the_item(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = await opted_out_record(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    item = in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("other@example.com"))
    await tenant.later(minutes=5)
    ada.outlook.edit_contact(item, {"emailAddresses": address("mary@example.com")})
    await tenant.later(minutes=5)
    assert links(tenant, ada) == {one: item}
    assert (await questions(tenant, ada), await error_rows(tenant, ada)) == ([], [])
    await stays_quiet(tenant)


async def test_a_record_that_this_mailbox_has_linked_is_no_candidate(tenant: Tenant, ada: Somebody) -> None:
    await linked(tenant, ada, "Adams", FirstName="Mary", Email="mary@example.com")
    in_outlook(ada, "Adams", givenName="Mary", emailAddresses=address("another.mary@example.com"))
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 2, "a namesake with another address, next to one that is synced already, is another person"
    await agrees(tenant, ada)


async def test_a_matched_pair_with_different_values_follows_the_conflict_rule(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="outlook")
    in_salesforce(ada, "Adams", Email="mary@example.com", Title="Old", Phone="1")
    ada.outlook.create_folder(FOLDER)
    item = in_outlook(ada, "Adams-Smith", emailAddresses=address("mary@example.com"), jobTitle="New", mobilePhone="2")
    await tenant.round()
    (row,) = tenant.contacts()
    assert (row["LastName"], row["Title"], row["Phone"], row["MobilePhone"]) == ("Adams-Smith", "New", "1", "2")
    assert ada.outlook.contact(item)["businessPhones"] == ["1"]
    await agrees(tenant, ada)


async def test_a_matched_pair_waits_under_you_decide_and_nothing_is_lost(tenant: Tenant, ada: Somebody) -> None:
    await set_profile(tenant, ContactsConflictRule="ask")
    one = in_salesforce(ada, "Adams", Email="mary@example.com", Title="Old")
    ada.outlook.create_folder(FOLDER)
    item = in_outlook(ada, "Adams", emailAddresses=address("mary@example.com"), jobTitle="New")
    await tenant.round()
    (question,) = await questions(tenant, ada)
    assert (question["Salesforce_job_title"], question["Outlook_job_title"]) == ("Old", "New")
    await decide(tenant, ada, "outlook")
    await tenant.later(minutes=5)
    assert (record(tenant, one)["Title"], ada.outlook.contact(item)["jobTitle"]) == ("New", "New")
    await agrees(tenant, ada)


async def test_an_opted_in_contact_that_matches_is_moved_and_linked_not_doubled(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    one = await opted_out_record(tenant, ada, "Adams", Email="mary@example.com")
    in_outlook(ada, "Adams", DEFAULT_FOLDER, emailAddresses=address("mary@example.com"), categories=["Salesforce"])
    await tenant.later(minutes=5)
    assert (names_in(ada), names_in(ada, DEFAULT_FOLDER)) == (["Adams"], [])
    assert links(tenant, ada) == {one: the_item(ada, "Adams")["id"]}
    assert len(tenant.contacts()) == 1
    await stays_quiet(tenant)


async def test_two_new_items_with_one_address_do_not_make_two_records(tenant: Tenant, ada: Somebody) -> None:
    ada.outlook.create_folder(FOLDER)
    in_outlook(ada, "Adams", emailAddresses=address("mary@example.com"))
    in_outlook(ada, "Adams", emailAddresses=address("mary@example.com"))
    await tenant.round()
    assert len(tenant.contacts()) == 1
    (question,) = await questions(tenant, ada)
    assert question["Question"] == "copy"
    await stays_quiet(tenant)


async def test_a_decision_to_create_is_carried_out_although_the_sync_made_the_other_record_itself(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    in_outlook(ada, "Adams", emailAddresses=address("office@example.com"))
    await tenant.later(minutes=5)
    in_outlook(ada, "Brown", emailAddresses=address("office@example.com"))
    await tenant.later(minutes=5)
    assert len(tenant.contacts()) == 1
    await decide(tenant, ada, "create")
    await tenant.later(minutes=5)
    assert sorted(row["LastName"] for row in tenant.contacts()) == ["Adams", "Brown"]
    await agrees(tenant, ada)


async def test_the_same_new_person_in_two_mailboxes_becomes_one_record(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    tenant.salesforce.set_org_wide("Contact", "read_write")
    big = account(tenant, ada, "Acme")
    tenant.salesforce.share(big, bob.username)
    await tenant.round()
    for who in (ada, bob):
        in_outlook(who, "Adams", givenName="Mary", emailAddresses=address("mary@example.com"), companyName="Acme")
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    (row,) = tenant.contacts()
    assert list(links(tenant, ada)) == list(links(tenant, bob)) == [row["Id"]]
    await stays_quiet(tenant)
    ada.outlook.edit_contact(ada.items()[0]["id"], {"jobTitle": "Boss"})
    await tenant.later(minutes=5)
    await tenant.later(minutes=5)
    assert [bob.items()[0]["jobTitle"], record(tenant, row["Id"])["Title"]] == ["Boss", "Boss"]
    await stays_quiet(tenant)


async def test_a_colleague_who_cannot_see_the_record_makes_one_of_their_own(tenant: Tenant, ada: Somebody, bob: Somebody) -> None:
    await tenant.round()
    for who in (ada, bob):
        in_outlook(who, "Adams", givenName="Mary", emailAddresses=address("mary@example.com"))
    await tenant.later(minutes=5)
    await tenant.later(minutes=25)
    assert len(tenant.contacts()) == 2, "private contacts of two people, invisible to each other"
    assert disagreements(tenant, ada) == disagreements(tenant, bob) == []
    await agrees(tenant, ada, bob)


async def test_a_deleted_record_is_no_match(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    gone = in_salesforce(ada, "Adams", Email="mary@example.com")
    ada.crm.delete(gone)
    item = in_outlook(ada, "Adams", emailAddresses=address("mary@example.com"))
    await tenant.later(minutes=5)
    assert [row["LastName"] for row in tenant.contacts()] == ["Adams"]
    assert has_item(ada, item)
    await agrees(tenant, ada)


async def test_strange_characters_in_names_and_addresses_do_not_break_the_search(tenant: Tenant, ada: Somebody) -> None:
    await tenant.round()
    account(tenant, ada, "O'Neil \\ Söhne 100%_")
    names = ["O'Hara", 'Quo"te', "Back\\slash", "Per%cent", "Under_score", "Line\u2028break", "Nul", "a@{b}.c"]
    for name in names:
        in_outlook(ada, name, givenName="D'Arcy", companyName="O'Neil \\ Söhne 100%_", emailAddresses=address("o'h%_@example.com"))
        await tenant.later(minutes=5)
        await decide(tenant, ada, "create")  # where the address is the same as the one before
        await tenant.later(minutes=5)
    assert sorted(row["LastName"] for row in tenant.contacts()) == sorted(names)
    assert all(row["AccountId"] for row in tenant.contacts())
    await agrees(tenant, ada)
