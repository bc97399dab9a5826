/** How long to wait before trying again. */

const STEPS = [1000, 2000, 4000, 8000, 15000, 30000];

/** @param {number} failures so far @returns {number} milliseconds, spread so that browsers do not all come back at once */
export function backoff(failures) {
  return STEPS[Math.min(failures, STEPS.length - 1)] * (0.75 + Math.random() / 2);
}

/** @param {number} time milliseconds, or until the line comes back */
export function pause(time) {
  return new Promise((resolve) => {
    setTimeout(resolve, time);
    window.addEventListener("online", resolve, { once: true });
  });
}
