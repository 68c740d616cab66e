// Sums up jest's reports, named on the command line: the stories that took longest, then one line that any CI can read.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What is used of jest's `--json`; times are milliseconds since 1970. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
}

const SHOWN = 10;

const reports = process.argv
  .slice(2)
  .filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);

const slowest = reports
  .flatMap(({ testResults }) => testResults)
  .map(({ name, startTime, endTime }) => ({ name: basename(name), seconds: (endTime - startTime) / 1000 }))
  .sort((a, b) => b.seconds - a.seconds)
  .slice(0, SHOWN);
if (slowest.length > 0) console.log('\nThe slowest stories:');
for (const { name, seconds } of slowest) console.log(`${seconds.toFixed(0).padStart(6)} s  ${name}`);

const passed = reports.reduce((sum, report) => sum + report.numPassedTests, 0);
const failed = reports.reduce((sum, report) => sum + report.numFailedTests, 0);
console.log(`\n${passed} passed, ${failed} failed`);
