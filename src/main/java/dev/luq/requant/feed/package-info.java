/**
 * Examples on their way through a model: the prompt as serving builds it, the image encoded, the right answer after it
 * as if the model had said it (teacher forcing). What happens to the numbers is the visitor's and the tap's business.
 */
package dev.luq.requant.feed;

