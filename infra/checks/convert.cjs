// Converts a Salesforce source directory to the metadata format with Salesforce's own library.
// Arguments: source directory, empty target directory. Prints the components it understood, as {type: [full names]}.
const { ComponentSet, MetadataConverter } = require('@salesforce/source-deploy-retrieve');
const fs = require('node:fs');
const path = require('node:path');

const [source, target] = process.argv.slice(2);
const version = JSON.parse(fs.readFileSync(path.join(source, 'sfdx-project.json'), 'utf8')).sourceApiVersion;
const components = ComponentSet.fromSource(path.join(source, 'force-app'));
components.apiVersion = version;
components.sourceApiVersion = version;
new MetadataConverter()
  .convert(components, 'metadata', { type: 'directory', outputDirectory: target, genUniqueDir: false })
  .then(() => {
    const found = {};
    for (const one of components.getSourceComponents()) {
      for (const each of [one, ...one.getChildren()]) {
        (found[each.type.name] ??= []).push(each.fullName);
      }
    }
    console.log(JSON.stringify(found));
  })
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
