// Lints what is JavaScript or TypeScript here: the recorder and the processors (CommonJS, run by Artillery), the report's page
// (TypeScript, bundled into one file for the browser) and the tests that drive a browser.
import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const PAGE = 'toolkit/reports/page/**/*.ts';

const everywhere = {
  eqeqeq: 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'object-shorthand': 'error',
  'no-console': 'error',
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-new-func': 'error',
  complexity: ['error', 9],
  'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
  'max-statements': ['error', 40],
};

export default tseslint.config(
  { ignores: ['**/node_modules/**', '.venv/**', 'reports/**', '**/dist/**', '**/build/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['loadtesting/**/*.cjs'],
    extends: [js.configs.recommended],
    languageOptions: { sourceType: 'commonjs', ecmaVersion: 2024, globals: globals.node },
    rules: {
      ...everywhere,
      strict: ['error', 'global'],
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
    },
  },
  {
    files: [PAGE],
    extends: [js.configs.recommended, ...tseslint.configs.recommended],
    languageOptions: { ecmaVersion: 2024, globals: globals.browser },
    rules: {
      ...everywhere,
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // The page shows names and urls that a server chose: text nodes only.
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Build elements and set textContent: names in a report are hostile.' },
        { property: 'outerHTML', message: 'Build elements and set textContent: names in a report are hostile.' },
        { property: 'insertAdjacentHTML', message: 'Build elements and set textContent: names in a report are hostile.' },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [js.configs.recommended],
    languageOptions: { sourceType: 'module', ecmaVersion: 2024, globals: { ...globals.node, ...globals.browser } },
    rules: { ...everywhere, 'no-console': 'off' },
  },
);
