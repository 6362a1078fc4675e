// What the page /q/swagger-ui says when the description of the API does not come.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import vm from 'node:vm';

const SCRIPT = readFileSync(new URL('../../main/resources/META-INF/swagger-ui/start.js', import.meta.url), 'utf8');

/** The page's elements and what it did, once it has started against a server that answers so. */
async function page(answer) {
  const button = {disabled: false};
  const handlers = {};
  const elements = {
    'key-form': {hidden: true, querySelector: () => button, addEventListener: (name, handler) => (handlers[name] = handler)},
    key: {value: '', focus: () => (elements.key.focused = true)},
    refusal: {textContent: ''},
  };
  const shown = [];
  const asked = [];
  const fetch = async (url, options) => {
    asked.push(options.headers?.Authorization);
    return answer(options.headers?.Authorization);
  };
  vm.runInNewContext(SCRIPT, {
    document: {getElementById: id => elements[id]},
    fetch,
    SwaggerUIBundle: options => shown.push(options.spec),
  });
  const settled = () => new Promise(resolve => setTimeout(resolve, 10));
  await settled();
  return {
    elements,
    button,
    shown,
    asked,
    submit: async key => {
      elements.key.value = key;
      handlers.submit({preventDefault: () => {}});
      await settled();
    },
  };
}

const answer = (status, body) => ({ok: status === 200, status, json: async () => JSON.parse(body)});
const refusal = message => JSON.stringify({error: {message}});

test('a server without keys shows its description at once', async () => {
  const {elements, shown} = await page(() => answer(200, '{"openapi": "3.1.0"}'));
  assert.equal(shown.length, 1);
  assert.ok(elements['key-form'].hidden);
});

test('a key is asked for, refused with the reason, and taken', async () => {
  const {elements, shown, submit, button} = await page(key =>
    key === 'Bearer right' ? answer(200, '{}') : answer(401, refusal('The API key is not valid')));
  assert.ok(!elements['key-form'].hidden && elements.key.focused);
  assert.equal(elements.refusal.textContent, '');
  await submit('wrong');
  assert.match(elements.refusal.textContent, /The API key is not valid/);
  await submit(' right ');
  assert.equal(shown.length, 1);
  assert.ok(elements['key-form'].hidden && !button.disabled);
  assert.equal(elements.key.value, '');
});

test('why nothing is shown is said, also where no key would help', async () => {
  const refused = await page(() => answer(403, refusal('Without API keys only programs of this machine are served')));
  assert.match(refused.elements.refusal.textContent, /only programs of this machine/);
  const broken = await page(() => answer(502, '<html>'));
  assert.match(broken.elements.refusal.textContent, /502/);
  const offline = await page(() => Promise.reject(new TypeError('Failed to fetch')));
  assert.match(offline.elements.refusal.textContent, /Failed to fetch/);
  assert.ok(!offline.button.disabled);
});
