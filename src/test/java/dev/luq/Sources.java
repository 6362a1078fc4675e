package dev.luq;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.EntityTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.doctree.ReferenceTree;
import com.sun.source.doctree.TextTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.lang.model.element.Element;
import javax.lang.model.element.NestingKind;
import javax.lang.model.element.TypeElement;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Sources of the application as the compiler reads them: Javadoc is in no class file. */
final class Sources implements AutoCloseable {

    static final Path MAIN = Path.of("src/main/java");

    private final StandardJavaFileManager files;
    private final JavacTask task;
    private final DocTrees docs;
    private final List<CompilationUnitTree> units;

    private Sources(List<Path> sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8);
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        task = (JavacTask) compiler.getTask(
                null,
                files,
                null,
                List.of(
                        "-proc:none",
                        "-implicit:none",
                        "-Xprefer:source",
                        "-sourcepath",
                        MAIN.toString(),
                        "-classpath",
                        classPath),
                null,
                files.getJavaFileObjectsFromPaths(sources));
        docs = DocTrees.instance(task);
        units = new ArrayList<>();
        task.parse().forEach(units::add);
    }

    /** Parses the sources that hold this text. */
    static Sources containing(String text) throws IOException {
        try (Stream<Path> all = Files.walk(MAIN)) {
            return new Sources(all.filter(file ->
                            file.toString().endsWith(".java") && read(file).contains(text))
                    .sorted()
                    .toList());
        }
    }

    /** The first sentence of each package's Javadoc, by package; one without Javadoc has an empty one. */
    static Map<String, String> packages() throws IOException {
        List<Path> infos;
        try (Stream<Path> all = Files.walk(MAIN)) {
            infos = all.filter(file -> file.endsWith("package-info.java"))
                    .sorted()
                    .toList();
        }
        Map<String, String> sentences = new TreeMap<>();
        try (Sources sources = new Sources(infos)) {
            for (CompilationUnitTree unit : sources.units) {
                DocCommentTree doc =
                        sources.docs.getDocCommentTree(new TreePath(new TreePath(unit), unit.getPackage()));
                sentences.put(
                        unit.getPackageName().toString(),
                        doc == null ? "" : markdown(doc.getFirstSentence(), Sources::simpleName));
            }
        }
        return sentences;
    }

    /** All top-level types of these sources, with their names resolved. */
    List<TypeElement> types() throws IOException {
        List<TypeElement> types = new ArrayList<>();
        for (Element element : task.analyze()) {
            if (element instanceof TypeElement type && type.getNestingKind() == NestingKind.TOP_LEVEL) {
                types.add(type);
            }
        }
        return types;
    }

    /**
     * An element's Javadoc without its tags, as Markdown on one line.
     *
     * @param references what a link's target is called, by its signature as it stands there
     */
    String description(Element element, UnaryOperator<String> references) {
        TreePath path = docs.getPath(element);
        DocCommentTree doc = path == null ? null : docs.getDocCommentTree(path);
        return doc == null ? "" : markdown(doc.getFullBody(), references);
    }

    /** The class of a signature without its package, and its member. */
    static String simpleName(String signature) {
        String type = signature.replaceFirst("#.*", "");
        String member =
                signature.substring(type.length()).replaceFirst("\\(.*", "").replace('#', '.');
        return "`" + (type.substring(type.lastIndexOf('.') + 1) + member).replaceFirst("^\\.", "") + "`";
    }

    private static String markdown(List<? extends DocTree> body, UnaryOperator<String> references) {
        StringBuilder text = new StringBuilder();
        for (DocTree part : body) {
            if (part instanceof TextTree plain) {
                text.append(plain.getBody());
            } else if (part instanceof LiteralTree literal) {
                String code = literal.getBody().getBody();
                text.append(part.getKind() == DocTree.Kind.CODE ? "`" + code + "`" : code);
            } else if (part instanceof LinkTree link) {
                ReferenceTree target = link.getReference();
                text.append(
                        link.getLabel().isEmpty()
                                ? references.apply(target.getSignature())
                                : markdown(link.getLabel(), references));
            } else if (part instanceof EntityTree entity) {
                text.append('&').append(entity.getName()).append(';');
            } else {
                throw new IllegalArgumentException("a description may have text, {@code} and {@link}, not " + part);
            }
        }
        return text.toString().replaceAll("\\s+", " ").strip();
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        files.close();
    }
}
