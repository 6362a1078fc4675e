package dev.luq.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaMatchTest {

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{} | {'a':[1,null]} | true",
                "false | 1 | false",
                "{'type':'integer'} | 2.0 | true",
                "{'type':'integer'} | 2.5 | false",
                "{'type':['string','null']} | null | true",
                "{'type':['string','null']} | 1 | false",
                "{'const':{'a':1}} | {'a':1.0} | true",
                "{'enum':['red','blue']} | 'green' | false",
                "{'type':'object','required':['a']} | {} | false",
                "{'properties':{'a':{'type':'string'}}} | {'a':1} | false",
                "{'properties':{'a':{}},'additionalProperties':false} | {'b':1} | false",
                "{'properties':{'a':{}}} | {'b':1} | true",
                "{'additionalProperties':{'type':'null'}} | {'b':1} | false",
                "{'items':{'type':'number'},'minItems':2} | [1,2.5] | true",
                "{'items':{'type':'number'},'minItems':2} | [1] | false",
                "{'maxItems':1} | [1,2] | false",
                "{'prefixItems':[{'type':'null'}]} | [1] | false",
                "{'maxLength':1} | '😀' | true",
                "{'minLength':2} | 'a' | false",
                "{'type':'string','pattern':'^b$'} | 'a' | true",
                "{'minimum':0,'exclusiveMaximum':1} | 0 | true",
                "{'minimum':0,'exclusiveMaximum':1} | 1 | false",
                "{'minimum':0} | -0.5 | false",
                "{'anyOf':[{'type':'null'},{'type':'object'}]} | {} | true",
                "{'oneOf':[{'type':'null'},{'type':'object'}]} | 1 | false",
                "{'allOf':[{'required':['a']},{'required':['b']}]} | {'a':1} | false",
                "{'properties':{'next':{'anyOf':[{'$ref':'#'},{'type':'null'}]}},'required':['next']}"
                        + " | {'next':{'next':null}} | true",
                "{'properties':{'next':{'anyOf':[{'$ref':'#'},{'type':'null'}]}},'required':['next']}"
                        + " | {'next':{}} | false",
                "{'items':{'$ref':'#/$defs/a~1b'},'$defs':{'a/b':{'type':'null'}}} | [1] | false"
            })
    void aValueFitsWhatDescribesIt(String schema, String value, boolean fits) {
        assertEquals(fits, SchemaMatch.fits(json(value), json(schema)));
    }

    @Test
    void whatWouldTakeTooLongDoesNotFit() {
        String endless = "{'anyOf':[{'$ref':'#'},{'$ref':'#'}]}";
        assertFalse(SchemaMatch.fits(json("1"), json(endless)));
    }

    @Test
    void valuesComparedWithThoseOfAnEnumAreCounted() {
        String numbers = IntStream.range(0, 1000).mapToObj(String::valueOf).collect(Collectors.joining(","));
        String schema = "{'items':{'enum':[" + numbers + "]}}";
        assertTrue(SchemaMatch.fits(json("[999]"), json(schema)));
        assertFalse(SchemaMatch.fits(json("[" + "999,".repeat(999) + "999]"), json(schema)));
    }

    /** A schema that the check refuses where it is met; what nobody refers to is not met. */
    @ParameterizedTest
    @ValueSource(strings = {"", "#a", "a", "http://example.org"})
    void aReferenceThatIsNoPointerRefersToNothing(String reference) {
        assertTrue(SchemaMatch.fits(json("1"), json("{'$ref':'" + reference + "'}")));
    }
}
