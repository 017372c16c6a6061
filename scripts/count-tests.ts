// Prints what was skipped, by name, and then "N passed, N failed" alone on the last line.
import { readFileSync } from 'node:fs';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly status: string;
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const [file, mode] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: count-tests REPORT MODE');
const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
const skipped = report.testResults.flatMap((t) =>
  t.assertionResults.filter((a) => a.status === 'skipped' || a.status === 'pending' || a.status === 'todo'),
);
const broken = report.testResults.filter(
  (t) => t.status === 'failed' && t.assertionResults.every((a) => a.status !== 'failed'),
);
for (const test of skipped) console.log(`SKIPPED: ${test.fullName}`);
if (skipped.length > 0) console.log(`${skipped.length} skipped`);
for (const suite of broken) console.log(`BROKEN SUITE: ${suite.name}: ${suite.message}`);
const failed = report.numFailedTests + broken.length;
if (mode === 'verify' && skipped.length > 0) {
  console.log('verify allows no skipped test');
  process.exitCode = 1;
}
if (failed > 0 || !report.success) process.exitCode = 1;
console.log(`\n${report.numPassedTests} passed, ${failed} failed`);
