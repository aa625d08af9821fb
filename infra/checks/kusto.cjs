// Semantic analysis of Kusto queries by Microsoft's own language service.
// Given on stdin: {"tables": {table: {column: type}}, "queries": {name: text}}. Prints {name: [what is wrong]}.
const fs = require('node:fs');

require('@kusto/language-service-next/bridge.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.js');

const { Kusto } = globalThis;
const symbols = Kusto.Language.Symbols;
const given = JSON.parse(fs.readFileSync(0, 'utf8'));

const tables = Object.entries(given.tables).map(([name, columns]) => {
  const schema = Object.entries(columns).map(([column, type]) => `${column}: ${type}`);
  return symbols.TableSymbol.From(`(${schema.join(', ')})`).WithName(name);
});
const database = new symbols.DatabaseSymbol.ctor('insights', tables);
const globals = Kusto.Language.GlobalState.Default.WithDatabase(database);

const found = {};
for (const [name, text] of Object.entries(given.queries)) {
  const diagnostics = Kusto.Language.KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  found[name] = [];
  for (let i = 0; i < diagnostics.Count; i += 1) {
    const one = diagnostics.getItem(i);
    found[name].push(`${one.Code} ${one.Message} at: ${text.slice(one.Start, one.Start + 60)}`);
  }
}
console.log(JSON.stringify(found));
