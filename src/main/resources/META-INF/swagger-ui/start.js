// The description needs the same key as the API: it is asked for where there are keys, and lives as long as the page.
'use strict';

const form = document.getElementById('key-form');
const field = document.getElementById('key');
const button = form.querySelector('button');
const refusal = document.getElementById('refusal');

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function description(key) {
  const answer = await fetch('../openapi?format=json', key ? {headers: {Authorization: 'Bearer ' + key}} : {});
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) {
    throw new Refused(answer.status, body?.error?.message ?? `The answer is no description of an API (${answer.status}).`);
  }
  return body;
}

async function show(key) {
  button.disabled = true;
  refusal.textContent = '';
  try {
    const spec = await description(key);
    form.hidden = true;
    field.value = '';
    const ui = SwaggerUIBundle({
      spec,
      dom_id: '#swagger-ui',
      deepLinking: true,
      validatorUrl: null,
      onComplete: () => key && ui.preauthorizeApiKey('key', key),
    });
  } catch (failure) {
    form.hidden = false;
    // Without a key, 401 says only that one is wanted, which the form does.
    refusal.textContent = failure.status === 401 && !key ? '' : `No description: ${failure.message}`;
    field.focus();
  } finally {
    button.disabled = false;
  }
}

form.addEventListener('submit', event => {
  event.preventDefault();
  show(field.value.trim());
});
show('');
