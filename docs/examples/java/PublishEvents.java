import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Publishes CloudEvents, one JSON object a line on standard input, to a topic; prints partition and offset of each.
 *
 * The key is the event's subject, and Kafka's own partitioner (murmur2) does the rest: set no partitioner and no
 * partition. Events of one person then lie in one partition, in the order sent.
 *
 * Usage: java -cp "$KAFKA_JARS/*" PublishEvents.java 127.0.0.1:9092 feeds.medical.settlement.v1 &lt; events.jsonl
 */
public final class PublishEvents {
    private static final Pattern SUBJECT = Pattern.compile("\"subject\"\\s*:\\s*\"(p_[0-9a-f]{32})\"");

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, "20");
        AtomicReference<Exception> failure = new AtomicReference<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher subject = SUBJECT.matcher(line);
                if (!subject.find()) {
                    throw new IllegalArgumentException("no subject p_ and 32 hex digits in this event");
                }
                String person = subject.group(1);
                producer.send(new ProducerRecord<>(arguments[1], person, line), (place, error) -> {
                    if (error != null) {
                        failure.set(error);
                    } else {
                        System.out.println(person + " " + place.partition() + " " + place.offset());
                    }
                });
            }
            producer.flush();
        }
        if (failure.get() != null) {
            throw failure.get();
        }
    }
}
