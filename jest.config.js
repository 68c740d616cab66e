// Jest runs CommonJS; SWC turns the ESM syntax of the sources, and of the packages that ship ESM only, into it.
const transform = {
  '^.+\\.(ts|js|mjs)$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
};
const common = {
  // Not the lab's disks, which hold whole file systems.
  roots: ['<rootDir>/src', '<rootDir>/__tests__', '<rootDir>/lab'],
  testEnvironment: 'node',
  transform,
  transformIgnorePatterns: [],
  // These packages have no entry for require.
  moduleNameMapper: {
    '^@actions/(core|exec|io)$': '<rootDir>/node_modules/@actions/$1/lib/$1.js',
    '^@actions/io/lib/io-util$': '<rootDir>/node_modules/@actions/io/lib/io-util.js',
  },
};

module.exports = {
  // Against hanging, and not a measure: a busy machine is slow.
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/__tests__/unit/**/*.test.ts'] },
    { ...common, displayName: 'lab', testMatch: ['<rootDir>/lab/**/*.test.ts'] },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/__tests__/e2e/**/*.test.ts'],
      setupFiles: ['<rootDir>/__tests__/e2e/own-lab.ts'],
    },
  ],
};
