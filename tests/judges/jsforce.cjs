// Drives jsforce, which reads one JSON object from its first argument and prints one: what the test compares.
// Its certificates come from NODE_EXTRA_CA_CERTS, as for any program.
const { createSign } = require("node:crypto");
const jsforce = require("jsforce");

const given = JSON.parse(process.argv[2]);
const base64url = (value) => Buffer.from(value).toString("base64url");

function assertion(subject) {
  const claims = { iss: given.consumer, sub: subject, aud: given.audience, exp: Math.floor(given.now) + 180 };
  const body = `${base64url(JSON.stringify({ alg: "RS256" }))}.${base64url(JSON.stringify(claims))}`;
  return `${body}.${createSign("RSA-SHA256").update(body).sign(given.privateKey, "base64url")}`;
}

async function signIn(subject) {
  const connection = new jsforce.Connection({ oauth2: { loginUrl: given.origin }, version: "62.0", maxRequest: 2 });
  const user = await connection.authorize({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: assertion(subject),
  });
  return { connection, user };
}

async function refusal(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { code: error.errorCode ?? error.name, message: error.message };
  }
}

async function main() {
  const told = {};
  const { connection, user } = await signIn(given.username);
  told.user = user;

  const contact = connection.sobject("Contact");
  const made = await contact.create({ LastName: "Brøndsted", Email: "b@x.example" });
  told.made = made;
  await contact.update({ Id: made.id, FirstName: "Søren" });
  const read = await contact.retrieve(made.id);
  told.read = { Name: read.Name, Email: read.Email };
  told.upserted = [];
  for (const title of ["first", "second"]) {
    told.upserted.push(await contact.upsert({ Tandem_Key__c: "jsforce", LastName: "Keyed", Title: title }, "Tandem_Key__c"));
  }

  const rows = await contact.create(
    Array.from({ length: 200 }, (_, number) => (number === 5 ? { FirstName: "no last name" } : { LastName: `Row ${String(number).padStart(3, "0")}` })),
    { allOrNone: false },
  );
  told.rows = rows.map((row) => row.success);
  told.rowError = rows[5].errors;
  told.updated = (await contact.update(rows.slice(10, 20).map((row) => ({ Id: row.id, Title: "Chef" })))).map((row) => row.success);
  told.retrieved = (await contact.retrieve(rows.slice(10, 12).map((row) => row.id))).map((row) => row.Title);
  told.deleted = (await contact.destroy(rows.slice(100, 110).map((row) => row.id))).map((row) => row.success);

  const soql = "SELECT Id, LastName FROM Contact WHERE LastName LIKE 'Row %' ORDER BY LastName";
  const first = await connection.query(soql, { autoFetch: false });
  told.page = { totalSize: first.totalSize, done: first.done, records: first.records.length };
  const second = await connection.queryMore(first.nextRecordsUrl);
  told.more = second.records.length;
  const all = await connection.query(soql, { autoFetch: true, maxFetch: 1000 });
  told.all = all.records.length;
  told.withDeleted = (await connection.query(soql, { autoFetch: true, maxFetch: 1000, scanAll: true })).records.length;
  told.found = (await contact.find({ Title: "Chef" }, ["Id", "LastName"]).sort({ LastName: 1 }).limit(3)).map((row) => row.LastName);

  const description = await contact.describe();
  told.fields = Object.fromEntries(description.fields.filter((field) => ["LastName", "Name"].includes(field.name)).map((field) => [field.name, [field.length, field.createable, field.nillable]]));
  told.objects = (await connection.describeGlobal()).sobjects.map((object) => object.name);
  told.limits = (await connection.limits()).DailyApiRequests.Max;

  const composite = await connection.requestPost("/services/data/v62.0/composite", {
    allOrNone: false,
    compositeRequest: [
      { method: "POST", url: "/services/data/v62.0/sobjects/Contact", referenceId: "new", body: { LastName: "Composite" } },
      { method: "GET", url: "/services/data/v62.0/sobjects/Contact/@{new.id}?fields=LastName", referenceId: "read" },
    ],
  });
  told.composite = composite.compositeResponse.map((answer) => [answer.httpStatusCode, answer.body.LastName ?? null]);

  told.refusals = {
    unknownField: await refusal(() => connection.query("SELECT Foo FROM Contact")),
    malformed: await refusal(() => connection.query("SELEKT Id FROM Contact")),
    missing: await refusal(() => contact.retrieve("003000000000000AAA")),
    tooLong: await refusal(() => contact.create({ LastName: "x".repeat(81) })),
    noLastName: await refusal(() => contact.create({ FirstName: "x" })),
    stranger: await refusal(() => signIn(given.stranger)),
    ended: await refusal(() => new jsforce.Connection({ instanceUrl: given.origin, accessToken: "00D!ended", version: "62.0" }).query(soql)),
  };
  console.log(JSON.stringify(told));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
