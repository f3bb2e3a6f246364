// node compile.cjs FOLDER SOURCE RESULT: compiles the one contract of SOURCE with the solc installed below FOLDER and
// writes its runtime code as 0x text to RESULT.
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');

const [folder, source, result] = process.argv.slice(2);
const solc = createRequire(path.join(folder, 'package.json'))('solc');
const name = path.basename(source, '.sol');
const input = {
  language: 'Solidity',
  sources: { [name]: { content: fs.readFileSync(source, 'utf8') } },
  settings: {
    evmVersion: 'paris',
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: 'none' },
    outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((e) => e.severity === 'error');
if (errors.length > 0) {
  for (const error of errors) console.error(error.formattedMessage);
  process.exit(1);
}
fs.writeFileSync(result, '0x' + output.contracts[name][name].evm.deployedBytecode.object);
