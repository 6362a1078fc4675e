package dev.luq.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaCheckTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static void accepted(JsonNode schema) {
        new SchemaCheck().check(schema, "f", true);
    }

    private static SchemaException refused(JsonNode schema) {
        return assertThrows(SchemaException.class, () -> new SchemaCheck().check(schema, "f", true));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{'type':'object','properties':{}}",
                "{'type':'object','properties':{'value':{'type':'integer'},'next':{'anyOf':[{'$ref':'#'},{'type':'null'}]}}}",
                "{'$ref':'#/$defs/tree','$defs':{'tree':{'type':'object','properties':{'children':{'type':'array',"
                        + "'items':{'$ref':'#/$defs/tree'}}}}}}",
                "{'$ref':'#/definitions/a~1b','definitions':{'a/b':{'type':'null'}}}",
                "{'enum':[1,'a',null,[1],{'b':2},true]}",
                "{'const':{'a':[null]}}",
                "{'type':['string','null'],'maxLength':65536}",
                "{'type':'array','maxItems':0}",
                "{'type':'array','items':true,'minItems':2,'maxItems':2000}",
                "{'type':'integer','minimum':0,'maximum':9223372036854775807}",
                "{'type':'string','pattern':'^\\\\d{3}$'}",
                "{'type':'string','format':'email'}",
                "{'type':'array','uniqueItems':false}",
                "{'$ref':'#/$defs/a','description':'d','$defs':{'a':{'type':'string'}}}",
                "{'anyOf':[{'type':'string'},{'type':'null'}],'default':null,'title':'t'}",
                "{'allOf':[{'properties':{'a':{}}},{'required':['a']}]}",
                "{'type':'array','prefixItems':[{'type':'string'}],'items':false,'minItems':1,'maxItems':1}"
            })
    void whatIsCommonIsAccepted(String schema) {
        accepted(json(schema.replace('\'', '"')));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'$ref':'#'} | f",
                "{'$ref':'#/$defs/a','$defs':{'a':{'$ref':'#/$defs/b'},'b':{'anyOf':[{'$ref':'#/$defs/a'},{'type':'null'}]}}} | f",
                "{'$ref':'#/$defs/a'} | f.$ref",
                "{'$ref':'other.json'} | f.$ref",
                "{'type':'object','properties':{'a':{'type':'array','minItems':3,'maxItems':2}}} | f.properties.a.minItems",
                "{'type':'array','maxItems':-1} | f.maxItems",
                "{'type':'array','items':{'enum':[]}} | f.items.enum",
                "{'anyOf':[]} | f.anyOf",
                "{'type':'integer','minimum':5,'exclusiveMaximum':5} | f.minimum",
                "{'type':['string','string']} | f.type",
                "{'properties':{'a':3}} | f.properties.a",
                "{'properties':{'a':{'pattern':'(?=x)'}}} | f.properties.a.pattern",
                "{'properties':{'a':{'pattern':'\\\\p{L}'}}} | f.properties.a.pattern",
                "{'pattern':'^a$','maxLength':3} | f.pattern",
                "{'type':'object','properties':{'a':{'type':'number','minimum':0}}} | f.properties.a.minimum",
                "{'type':'number','multipleOf':0.5} | f.multipleOf",
                "{'not':{'type':'null'}} | f.not",
                "{'not':false} | f.not",
                "{'if':{},'then':{}} | f.if",
                "{'type':'array','uniqueItems':true} | f.uniqueItems",
                "{'type':'array','contains':{}} | f.contains",
                "{'type':'object','patternProperties':{'^a':{}}} | f.patternProperties",
                "{'type':'object','minProperties':1} | f.minProperties",
                "{'type':'object','properties':{'a':{}},'required':['b']} | f.required",
                "{'type':'object','properties':{'a':{}},'anyOf':[{'required':['a']}]} | f.properties",
                "{'$ref':'#/$defs/a','maxLength':3,'$defs':{'a':{'type':'string'}}} | f.maxLength",
                "{'type':'object','allOf':[{'properties':{'a':{}}}],'properties':{'b':{}}} | f.properties",
                "{'allOf':[{'properties':{'a':{}}}],'additionalProperties':false} | f.additionalProperties",
                "{'allOf':[{'properties':{'a':{}}}],'required':['a']} | f.required",
                "{'type':'array','prefixItems':[{'type':'string'}],'items':{'type':'number'}} | f.items",
                "{'type':'array','prefixItems':[{'type':'string'}],'minItems':2} | f.minItems",
                "{'type':'array','prefixItems':[{},{}],'maxItems':1} | f.maxItems"
            })
    void whatCannotBeUsedIsNamed(String schema, String path) {
        SchemaException refusal = refused(json(schema.replace('\'', '"')));
        assertEquals(path, refusal.path());
        assertFalse(refusal.tooComplex(), refusal.getMessage());
        assertTrue(refusal.getMessage().startsWith(path), refusal.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'type':'array','maxItems':2001} | f.maxItems",
                "{'type':'string','minLength':2001} | f.minLength",
                "{'type':'string','maxLength':99999999999} | f.maxLength",
                "{'items':{'pattern':'^a{0,2001}$'}} | f.items.pattern"
            })
    void largeCountsAreTooComplex(String schema, String path) {
        SchemaException refusal = refused(json(schema.replace('\'', '"')));
        assertEquals(path, refusal.path());
        assertTrue(refusal.tooComplex(), refusal.getMessage());
    }

    /** As libraries write them for addresses of mail and bounded names, in tools that nobody asked to be strict. */
    @ParameterizedTest
    @ValueSource(strings = {"^(?!\\.)(?!.*\\.\\.)[a-z.]+@[a-z.]+$", "(?i)^abc$", "^\\p{L}+$"})
    void whereItIsNotEnforcedAPatternThatNoGrammarSaysIsAnyText(String pattern) {
        ObjectNode schema = JSON.createObjectNode()
                .put("type", "string")
                .put("pattern", pattern)
                .put("maxLength", 9);
        SchemaCheck request = new SchemaCheck();
        request.check(schema, "tool", false);
        assertEquals("char*", request.patterns().get(pattern));
        schema.remove("maxLength");
        assertThrows(SchemaException.class, () -> request.check(schema, "strict", true));
        ObjectNode bomb = JSON.createObjectNode().put("pattern", "a{0,2001}");
        assertTrue(assertThrows(SchemaException.class, () -> request.check(bomb, "tool", false))
                .tooComplex());
    }

    @Test
    void whereItIsNotEnforcedWhatNoGrammarSaysIsLeftOut() {
        new SchemaCheck()
                .check(
                        json(
                                """
                                {"type":"object","properties":{"a":{"type":"number","minimum":0,"multipleOf":2}},
                                "required":["b"],"minProperties":1,"not":{}}"""),
                        "tool",
                        false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"maxItems\":5000000000", "\"prefixItems\":[],\"items\":false"})
    void propertiesMayBeReferredToAsASchema(String keywords) {
        JsonNode schema = json("{\"properties\":{\"a\":{\"$ref\":\"#/properties\"}," + keywords + "}}");
        try {
            new SchemaCheck().check(schema, "tool", false);
        } catch (SchemaException e) {
            assertFalse(e.getMessage().isEmpty());
        }
    }

    /** The conversion would take the rest for all. */
    @ParameterizedTest
    @ValueSource(strings = {"false", "true", "{\"type\":\"number\"}"})
    void ofATupleThatGoesOnTheBeginningIsLeft(String rest) {
        JsonNode schema = json("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"}],\"items\":" + rest + "}");
        new SchemaCheck().check(schema, "tool", false);
        assertFalse(schema.has("items"));
        assertTrue(schema.has("prefixItems"));
    }

    @Test
    void sizesAreBounded() {
        ObjectNode longName = JSON.createObjectNode();
        longName.putObject("properties").putObject("_".repeat(40_000)).put("type", "string");
        assertTrue(refused(longName).tooComplex());
        assertTrue(refused(longName).getMessage().length() < 200, "the name is not repeated");

        ObjectNode manyNames = JSON.createObjectNode();
        ObjectNode properties = manyNames.putObject("properties");
        for (int i = 0; i < 6000; i++) {
            properties.putObject("p" + i).put("type", "null");
        }
        assertTrue(refused(manyNames).tooComplex());

        ObjectNode manyValues = JSON.createObjectNode();
        ArrayNode values = manyValues.putArray("enum");
        for (int i = 0; i < 20_000; i++) {
            values.add(i);
        }
        assertTrue(refused(manyValues).tooComplex());

        ObjectNode chain = JSON.createObjectNode().put("$ref", "#/$defs/a0");
        ObjectNode definitions = chain.putObject("$defs");
        for (int i = 0; i < 5000; i++) {
            definitions.putObject("a" + i).put("$ref", "#/$defs/a" + (i + 1));
        }
        definitions.putObject("a5000").put("type", "null");
        assertTrue(refused(chain).tooComplex());

        ObjectNode deep = JSON.createObjectNode();
        ObjectNode inner = deep;
        for (int i = 0; i < 1000; i++) {
            inner = inner.putObject("items");
        }
        assertTrue(refused(deep).tooComplex());
    }

    /** Two types double what is below them, and that at each level. */
    @Test
    void whatMultipliesIsCountedAsOftenAsItIsConverted() {
        ObjectNode schema = JSON.createObjectNode();
        ObjectNode inner = schema;
        for (int i = 0; i < 40; i++) {
            inner.putArray("type").add("object").add("string");
            inner = inner.putArray("allOf").addObject();
        }
        assertTrue(refused(schema).tooComplex());
    }

    @Test
    void allSchemasOfARequestAreCountedTogether() {
        ObjectNode schema = JSON.createObjectNode();
        for (int i = 0; i < 1000; i++) {
            schema.withObject("/properties").putObject("p" + i);
        }
        SchemaCheck request = new SchemaCheck();
        request.check(schema, "tools[0].function.parameters", true);
        SchemaException refusal = assertThrows(SchemaException.class, () -> {
            for (int i = 1; i < 10; i++) {
                request.check(schema, "tools[" + i + "].function.parameters", true);
            }
        });
        assertTrue(refusal.tooComplex());
    }
}
