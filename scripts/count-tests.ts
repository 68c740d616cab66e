// Sums up jest's reports, named on the command line, in the one line that any CI can read.
import { existsSync, readFileSync } from 'node:fs';

const reports = process.argv
  .slice(2)
  .filter((file) => existsSync(file))
  .map(
    (file) => JSON.parse(readFileSync(file, 'utf8')) as { numPassedTests: number; numFailedTests: number },
  );
const passed = reports.reduce((sum, report) => sum + report.numPassedTests, 0);
const failed = reports.reduce((sum, report) => sum + report.numFailedTests, 0);
console.log(`\n${passed} passed, ${failed} failed`);
