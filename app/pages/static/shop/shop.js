/** The order-tracking demo: says that it is one, and shows what an answer looks like. */

const form = document.getElementById("track-form");
const answer = document.getElementById("track-answer");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  if (answer) answer.hidden = false;
  answer?.focus();
});
